/** `backups download`: downloads a backup's objects, or one file from inside a backup. */
import { basename, join } from "node:path";
import type { Command } from "commander";
import type { Schema } from "../../client/client.ts";
import { calling, type Cli } from "../command_line.ts";
import { CommandError, EXIT } from "../command_error.ts";
import { type Download, download, type Downloaded } from "../download.ts";
import { transferLine } from "../progress.ts";
import { resolveFromCaller } from "../working_directory.ts";

interface Options {
  object?: string;
  path?: string;
  output?: string;
  overwrite?: boolean;
}

/** The interval between two updates of the progress bar, in milliseconds. */
const REDRAW = 100;

export function addDownloadCommand(command: Command): void {
  command
    .description("Download an object of a backup, or one file from its contents")
    .option("--object <name>", "the object's name (default: the first archive)")
    .option("--path <path>", "a file in the backup, instead of an object")
    .option("--output <path>", "a file or a directory (default: the current one, under its own name)")
    .option("--overwrite", "replace an existing file")
    .action(calling(run));
}

async function run(cli: Cli, id: number, options: Options): Promise<void> {
  const { api, output, terminal } = cli;
  const request = await downloadOf(cli, id, options);
  if (options.overwrite !== true && await exists(request.target)) {
    throw new CommandError(
      EXIT.failed,
      `Cannot ${request.action}: ${request.target} exists; use --overwrite`,
    );
  }
  let done: Downloaded;
  try {
    done = await download(api, request, progressOn(cli));
  } finally {
    terminal.status("");
  }
  output.answer(done, () => {
    const checked = request.expected === null ? "" : " (as stored)";
    terminal.print(`${done.path}: ${done.size} bytes, SHA-256 ${done.sha256}${checked}\n`);
  });
}

async function downloadOf({ api }: Cli, id: number, options: Options): Promise<Download> {
  if (options.path !== undefined) {
    if (options.object !== undefined) {
      throw new CommandError(
        EXIT.usage,
        "Cannot download both an object and a file: use only one of the options",
      );
    }
    const action = `download ${options.path} of backup ${id}`;
    const query = { path: options.path };
    return {
      action,
      open: (headers) => api.open(action, "/api/backups/{id}/files/download", { headers }, { id, query }),
      target: await targetOf(options, options.path),
      expected: null,
    };
  }
  const { data } = await api.get(`download backup ${id}`, "/api/backups/{id}", { id });
  const object = objectOf(data, options.object);
  const action = `download ${object.name}`;
  const query = { object: object.name };
  return {
    action,
    open: (headers) => api.open(action, "/api/backups/{id}/download", { headers }, { id, query }),
    target: await targetOf(options, object.name),
    expected: object,
  };
}

function objectOf({ id, objects }: Schema<"Backup">, name: string | undefined) {
  const object = objects.find((each) => name === undefined ? each.role === "archive" : each.name === name);
  if (object !== undefined) return object;
  const names = objects.map((each) => each.name).join(", ");
  throw new CommandError(EXIT.notFound, `Cannot download ${name ?? "it"}: backup ${id} holds ${names}`);
}

async function targetOf({ output }: Options, name: string): Promise<string> {
  const own = basename(name);
  if (output === undefined) return resolveFromCaller(own);
  const path = resolveFromCaller(output);
  const isDirectory = output.endsWith("/") || (await Deno.stat(path).catch(() => null))?.isDirectory;
  return isDirectory ? join(path, own) : path;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function progressOn({ terminal }: Cli): (done: number, total: number | null) => void {
  let first: { at: number; done: number } | null = null;
  let drawn = -Infinity;
  return (done, total) => {
    const now = performance.now();
    first ??= { at: now, done };
    if (now - drawn < REDRAW) return;
    drawn = now;
    const seconds = (now - first.at) / 1000;
    const perSecond = seconds < 1 ? null : (done - first.done) / seconds;
    terminal.status(transferLine(done, total ?? done, perSecond));
  };
}
