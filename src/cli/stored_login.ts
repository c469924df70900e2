/**
 * Selects the control plane and its token: from the environment, or from a file that only its owner can read.
 */
import { dirname, isAbsolute, join } from "node:path";
import type { Connection } from "./api.ts";
import { CommandError, EXIT } from "./command_error.ts";

export const DEFAULT_URL = "http://127.0.0.1:8000";

/** Returns `$XDG_CONFIG_HOME/rearguard/login.json`, as the XDG Base Directory Specification says. */
export function loginPath(): string {
  const base = Deno.env.get("XDG_CONFIG_HOME") ?? "";
  // The XDG Base Directory Specification says that a relative path must be ignored.
  if (isAbsolute(base)) return join(base, "rearguard", "login.json");
  const home = Deno.env.get("HOME") ?? "";
  if (home === "") throw new CommandError(EXIT.usage, "Cannot find the stored login: HOME is not set");
  return join(home, ".config", "rearguard", "login.json");
}

/**
 * Returns the control plane's URL and the token. Environment variables take precedence over the stored login.
 * A stored token is sent only to the control plane for which it was stored.
 */
export async function currentConnection(): Promise<Connection> {
  const givenUrl = Deno.env.get("REARGUARD_URL") || null;
  const givenToken = Deno.env.get("REARGUARD_API_TOKEN") || null;
  const url = givenUrl === null ? null : controlPlaneUrl(givenUrl);
  if (url !== null && givenToken !== null) return { url, token: givenToken };
  const stored = await readLogin();
  if (givenToken !== null && stored !== null) return { url: stored.url, token: givenToken };
  if (stored === null) {
    const missing = givenToken === null ? "there is no token" : "REARGUARD_URL is not set";
    throw new CommandError(
      EXIT.refused,
      `Cannot call the control plane: ${missing}; log in with: rearguard login`,
    );
  }
  if (url !== null && url !== stored.url) {
    throw new CommandError(
      EXIT.refused,
      `Cannot call ${url}: the stored token is for ${stored.url}; set REARGUARD_API_TOKEN, or log in there`,
    );
  }
  return stored;
}

export async function storeLogin(login: Connection): Promise<string> {
  const path = loginPath();
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const partial = `${path}.${Deno.pid}`;
  await Deno.writeTextFile(partial, `${JSON.stringify(login)}\n`, { mode: 0o600, createNew: true });
  await Deno.rename(partial, path);
  return path;
}

/** Deletes the stored login. Returns whether there was one. */
export async function forgetLogin(): Promise<boolean> {
  try {
    await Deno.remove(loginPath());
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Normalises the URL of a control plane: removes a trailing `/` or `/api`. Throws if the URL is invalid. */
export function controlPlaneUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CommandError(EXIT.usage, "Cannot use this URL: it must start with http:// or https://");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new CommandError(EXIT.usage, "Cannot use this URL: it must contain only a host and a path");
  }
  return url.href.replace(/\/+$/, "").replace(/\/api$/, "");
}

async function readLogin(): Promise<Connection | null> {
  const path = loginPath();
  let text: string;
  try {
    const { mode } = await Deno.stat(path);
    if (mode !== null && (mode & 0o077) !== 0) {
      throw new CommandError(
        EXIT.refused,
        `Cannot use ${path}: other users can read it; create another token, or run: chmod 600 ${path}`,
      );
    }
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  try {
    const { url, token } = JSON.parse(text);
    if (typeof url === "string" && typeof token === "string") return { url: controlPlaneUrl(url), token };
  } catch {
    // The file is invalid. The statement after this block reports that.
  }
  throw new CommandError(EXIT.refused, `Cannot use ${path}: it is damaged; log in again`);
}
