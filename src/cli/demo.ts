/**
 * `deno task demo [DIR]`: makes a complete backup of DIR in a temporary data directory, through the public
 * API only. If DIR is not given, backs up this project.
 */
import { createHash, randomBytes } from "node:crypto";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { RELEASE } from "../domain/release.ts";
import { Api } from "./api.ts";
import { CommandError } from "./command_error.ts";
import { followLog } from "./log_follower.ts";
import { progressLine } from "./progress.ts";
import { Terminal } from "./terminal.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
/** Maximum number of archive members that are shown. */
const SHOWN = 20;

class DemoError extends Error {}

const lines = new Terminal();

async function main(): Promise<void> {
  if (Deno.args.includes("--version")) return lines.print(`rearguard ${RELEASE}\n`);
  const source = resolve(Deno.env.get("INIT_CWD") ?? ".", Deno.args[0] ?? PROJECT);
  const kind = await Deno.stat(source).catch(() => null);
  if (!kind?.isDirectory) throw new DemoError(`Cannot back up ${source}: it is not a directory`);
  await using parts = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "rearguard-demo-" });
  parts.defer(() => Deno.remove(directory, { recursive: true }));
  await Deno.chmod(directory, 0o755);
  const token = randomBytes(24).toString("hex");
  const server = startServer(join(directory, "data"), token);
  parts.defer(() => stopServer(server));
  const api = new Api({ url: await readyUrl(server), token });
  const id = await makeTask(api, source, join(directory, "backups"));
  const { backup_task_log_id: runId } = await api.post("run the task", "/api/backup-tasks/{id}/run", { id });
  const final = await followLog(
    runId,
    () => api.open("follow the run", "/api/backup-tasks/{id}/latest-log/stream", {}, { id }),
    {
      output: (text) => lines.print(text),
      state: ({ progress }) => lines.status(progressLine(progress)),
      lost: (error) => {
        throw error;
      },
    },
  );
  lines.status("");
  if (final?.status !== "successful") {
    throw new DemoError(`Cannot finish the demo: the backup is ${final?.status} (${final?.reason})`);
  }
  await showBackup(api, id, join(directory, "backups"));
}

function startServer(dataDirectory: string, token: string): Deno.ChildProcess {
  const environment = Deno.env.toObject();
  for (
    const name of [
      "DATABASE_URL",
      "OIDC_ISSUER",
      "OIDC_CLIENT_ID",
      "PUBLIC_URL",
      "SECRET_KEY",
      "SECRET_KEY_FILE",
      "HOST",
    ]
  ) {
    delete environment[name];
  }
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", join(PROJECT, "main.ts"), "--local-agent"],
    clearEnv: true,
    env: {
      ...environment,
      DATA_DIR: dataDirectory,
      PORT: "0",
      BOOTSTRAP_TOKEN: token,
      LOCAL_AGENT: "1",
      LOG_LEVEL: "warning",
    },
    stdin: "null",
    stdout: "piped",
  }).spawn();
}

/** Returns the URL that the server prints when it is ready to run a backup. */
async function readyUrl(server: Deno.ChildProcess): Promise<string> {
  let printed = "";
  for await (const text of server.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    const url = /^Rearguard is ready at (\S+)$/m.exec(printed)?.[1];
    if (url !== undefined) return url;
  }
  throw new DemoError("Cannot start the demo: the server has ended");
}

async function stopServer(server: Deno.ChildProcess): Promise<void> {
  try {
    server.kill("SIGTERM");
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause; // the server has ended already
  }
  await server.status;
}

/** Returns the id of the new backup task. */
async function makeTask(api: Api, source: string, backups: string): Promise<number> {
  const [server] = (await api.get("list the servers", "/api/remote-servers")).data;
  const destination = await api.post("create the destination", "/api/backup-destinations", {
    body: { label: "A directory", type: "local", local_path: backups },
  });
  const task = await api.post("create the task", "/api/backup-tasks", {
    body: {
      label: basename(source),
      type: "files",
      source_path: source,
      remote_server_id: server!.id,
      backup_destination_id: destination.data.id,
      frequency: "daily",
      time_to_run_at: "03:00",
      // Without this field, the backup would fail if the demo's user is not allowed to read a file.
      allow_unreadable: true,
    },
  });
  lines.print(`Backing up ${source} on ${server!.label} to ${backups}\n`);
  return task.data.id;
}

async function showBackup(api: Api, id: number, backups: string): Promise<void> {
  const { data: [backup] } = await api.get("list the backups", "/api/backup-tasks/{id}/backups", { id });
  const path = join(backups, backup!.file_name);
  const hash = createHash("sha256");
  for await (const chunk of (await Deno.open(path)).readable) hash.update(chunk);
  const found = { size: (await Deno.stat(path)).size, sha256: hash.digest("hex") };
  if (found.size !== backup!.size || found.sha256 !== backup!.sha256) {
    throw new DemoError(`Cannot trust ${path}: its size or SHA-256 differs from the API's`);
  }
  lines.print(
    `\nFile     ${path}\nSize     ${found.size} bytes\nSHA-256  ${found.sha256} (read back, as the API says)\n`,
  );
  await listArchive(path);
}

async function listArchive(path: string): Promise<void> {
  lines.print(`\n$ tar --zstd -tvf ${path}\n`);
  const tar = new Deno.Command("tar", { args: ["--zstd", "-tvf", path], stdin: "null", stdout: "piped" })
    .spawn();
  let count = 0;
  let rest = "";
  for await (const text of tar.stdout.pipeThrough(new TextDecoderStream())) {
    const members = (rest + text).split("\n");
    rest = members.pop()!;
    for (const member of members) if (++count <= SHOWN) lines.print(`${member}\n`);
  }
  if (!(await tar.status).success) throw new DemoError(`Cannot list ${path}: tar failed`);
  if (count > SHOWN) lines.print(`… and ${count - SHOWN} more\n`);
}

let code = 0;
// On a terminal, Ctrl-C also stops the server. The demo then fails, and cleans up as after any failure.
Deno.addSignalListener("SIGINT", () => code = 130);
try {
  await main();
} catch (error) {
  lines.status("");
  code ||= 1;
  if (code !== 130) {
    lines.printError(
      error instanceof DemoError || error instanceof CommandError
        ? error.message
        : `Cannot finish the demo: ${(error as Error).message}`,
    );
  }
}
Deno.exit(code);
