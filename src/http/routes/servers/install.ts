/**
 * Serves `/install.sh` and `/agent/…`: everything that a server needs to run an agent. The server downloads
 * nothing from other hosts.
 */
import type { App } from "../../observe.ts";
import { HttpError } from "../../errors.ts";

/** The source of the agent's files. */
export interface AgentFileSource {
  /** The platform that the files are for, such as `x86_64-unknown-linux-gnu`. */
  readonly target: string;
  /** Returns the files by name. `sha256` is hex, `size` is in bytes. */
  all(): Promise<ReadonlyMap<string, { path: string; size: number; sha256: string }>>;
}

export interface InstallOptions {
  readonly files: AgentFileSource;
  /**
   * URL at which agents reach this control plane. If null, the `Host` header of each request is used instead.
   */
  readonly publicUrl: string | null;
}

export function addInstallPages({ files, publicUrl }: InstallOptions): (app: App) => void {
  return (app) => {
    app.get("/install.sh", async (c) => {
      const url = publicUrl ?? new URL(c.req.url).origin;
      return text(installScript(await template(), url, files.target), "text/x-shellscript; charset=utf-8");
    });
    app.get("/agent/SHA256SUMS", async () => {
      const lines = [...await available(files)].map(([name, { sha256 }]) => `${sha256}  ${name}\n`);
      return text(lines.join(""), "text/plain; charset=utf-8");
    });
    app.get("/agent/:name", async (c) => {
      const file = (await available(files)).get(c.req.param("name"));
      if (file === undefined) throw new HttpError(404, "Nothing exists at this address.");
      const { readable } = await Deno.open(file.path);
      return new Response(readable, {
        headers: { "Content-Type": "application/octet-stream", "Content-Length": String(file.size) },
      });
    });
  };
}

async function available(files: AgentFileSource): ReturnType<AgentFileSource["all"]> {
  try {
    return await files.all();
  } catch {
    throw new HttpError(503, "The agent's files can't be made on this server; its log tells why.");
  }
}

let read: Promise<string> | null = null;

function template(): Promise<string> {
  return read ??= Deno.readTextFile(new URL("../../install.sh", import.meta.url));
}

/**
 * Returns the install script for one control plane. `url` and `target` are quoted, because a host name can
 * contain characters that are special to a shell.
 */
export function installScript(script: string, url: string, target: string): string {
  return script.replace("@URL@", () => quoted(url)).replace("@TARGET@", () => quoted(target));
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

function text(body: string, type: string): Response {
  return new Response(body, { headers: { "Content-Type": type } });
}
