/**
 * Runs every command block of README.md, of docs/guide and of some pages of docs/operate, as a reader would
 * type it.
 */
import assert from "node:assert/strict";
import { openSession } from "../src/services/access/sessions.ts";
import { type ControlPlane, startControlPlane } from "./support/servers/control_plane.ts";
import { ServerProcess } from "./support/servers/server.ts";
import { taskCommand } from "./support/assertions/rights.ts";
import { type Block, blocksOf, projectFiles, readDocument, ROOT } from "./support/fixtures/documents.ts";

/**
 * Reasons why tests do not run a code block of the documentation. The key is the text REASON in
 * `<!-- not run: REASON -->` before the block. The value explains the reason.
 */
const NOT_RUN: Readonly<Record<string, string>> = {
  "starts a server and runs every test": "the server is what this test starts; the tests contain this test",
  "a second server": "a restore on another server: tests/e2e/relay_test.ts",
  "a database server": "restores of databases: tests/e2e/restore_databases_test.ts",
  "sends a message to a service": "services on the internet: src/notify/notifier_test.ts",
  "changes the user's shell": "src/cli/program_test.ts runs it",
  "starts a server with traces": "tests/e2e/observability_test.ts starts one with the same variables",
};

const FILES = await projectFiles();

/** The pages of docs/operate whose commands work on any running control plane. */
const OPERATING_PAGES = ["audit-log", "authentication", "monitoring"].map((name) =>
  `docs/operate/${name}.md`
);

const PAGES = [
  "README.md",
  ...FILES.filter((path) => /^docs\/guide\/[\w-]+\.md$/.test(path)),
  ...OPERATING_PAGES,
];

interface Place {
  readonly url: string;
  readonly token: string;
}

/** The directory that the examples back up. The test replaces it by a directory of its own. */
const SOURCE = "/usr/share/doc/bash";

/**
 * Creates a directory that looks like a checkout. It also contains two directories for the examples: their
 * home directory, and the directory that they back up. So the commands of the examples write nothing
 * elsewhere.
 */
async function openCheckout(stack: AsyncDisposableStack): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-docs-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  await Deno.chmod(directory, 0o755);
  for (const name of new Set(["node_modules", ...FILES.map((path) => path.split("/")[0]!)])) {
    await Deno.symlink(`${ROOT}/${name}`, `${directory}/${name}`);
  }
  await Deno.mkdir(`${directory}/.home`);
  await Deno.mkdir(`${directory}/documents`);
  for (const name of ["copyright", "NEWS"]) await Deno.writeTextFile(`${directory}/documents/${name}`, name);
  await Deno.mkdir(`${directory}/.bin`);
  return directory;
}

/**
 * Writes a program `deno` that starts `task cli` and `task admin` directly, without the two processes that
 * `deno task` needs.
 */
async function writeQuickDeno(directory: string): Promise<void> {
  const deno = `exec '${Deno.execPath()}'`;
  const cases = (["cli", "admin"] as const).map((task) => {
    const [, ...words] = taskCommand(task);
    return `"task ${task}") shift 2; ${deno} ${words.map((word) => `'${word}'`).join(" ")} "$@" ;;\n`;
  });
  const script = `#!/bin/sh\ncase "$1 $2" in\n${cases.join("")}*) ${deno} "$@" ;;\nesac\n`;
  await Deno.writeTextFile(`${directory}/.bin/deno`, script, { mode: 0o755 });
}

/**
 * Runs the blocks of a page in one shell session. A variable that one block exports is set for the following
 * blocks.
 */
class Session {
  #exports = "";

  constructor(readonly directory: string, readonly place: Place, readonly env: Record<string, string>) {}

  async run(page: string, { line, text }: Pick<Block, "line" | "text">): Promise<void> {
    const { directory, place } = this;
    const script = text.replaceAll("rg_…", place.token).replaceAll("http://127.0.0.1:8000", place.url)
      .replaceAll("/tmp/", `${directory}/`).replaceAll(SOURCE, `${directory}/documents`);
    const { success, stdout, stderr } = await new Deno.Command("bash", {
      args: [
        "-c",
        `set -e -o pipefail; curl() { command curl --fail-with-body "$@"; }; ${this.#exports}
        ${script}
        declare -px | grep -v "^declare -[a-zA-Z]*r" >"$HOME/exports"; declare -pf >>"$HOME/exports"`,
      ],
      cwd: directory,
      clearEnv: true,
      env: {
        PATH: `${directory}/.bin:${Deno.env.get("PATH")}`,
        DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
        DENO_NO_UPDATE_CHECK: "1",
        NO_COLOR: "1",
        HOME: `${directory}/.home`,
        ...this.env,
      },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    assert.ok(success, `${page}:${line}\n${text}\n${decoder.decode(stdout)}${decoder.decode(stderr)}`);
    this.#exports = `. "$HOME/exports"`;
  }
}

async function runPage(page: string, session: Session): Promise<void> {
  for (const block of blocksOf(await readDocument(page))) {
    if (block.language === "sh" && block.notRun === null) await session.run(page, block);
  }
}

Deno.test("the README's commands make and restore a first backup on a server that has just started", async () => {
  await using stack = new AsyncDisposableStack();
  const directory = await openCheckout(stack);
  await Deno.symlink(Deno.execPath(), `${directory}/.bin/deno`);
  const dataDirectory = `${directory}/.data`;
  const server = stack.use(new ServerProcess({ dataDirectory, args: ["--local-agent"] }));
  const place = { url: await server.ready(), token: server.token! };
  await runPage("README.md", new Session(directory, place, { REARGUARD_URL: place.url }));
  assert.ok((await Deno.stat(`${directory}/rearguard-restored/copyright`)).isFile);
});

for (const page of PAGES.slice(1)) {
  Deno.test(`the commands of ${page} run after the README's first backup`, async () => {
    const blocks = blocksOf(await readDocument(page)).filter(({ language, notRun }) =>
      language === "sh" && notRun === null
    );
    if (blocks.length === 0) return;
    await using plane = await startControlPlane();
    await plane.services.database`update users set is_admin = true`; // the first user is an administrator
    await using stack = new AsyncDisposableStack();
    const directory = await openCheckout(stack);
    await writeQuickDeno(directory);
    await backUp(plane, directory);
    await logIn(plane);
    const place = { url: plane.api.url, token: plane.api.token };
    const env = {
      REARGUARD_URL: place.url,
      REARGUARD_API_TOKEN: place.token,
      // The commands of `task admin` use the control plane's own database.
      DATABASE_URL: plane.databaseUrl,
      DATA_DIR: `${directory}/.data`,
    };
    const session = new Session(directory, place, env);
    const [definition] = blocksOf(await readDocument("README.md")).filter(({ text }) =>
      text.includes("api() {")
    );
    await session.run("README.md", { ...definition!, text: definition!.text.split("\n\n")[0]! });
    await runPage(page, session);
  });
}

/** Creates the records that the README's first backup leaves: destination 1, task 1 and backup 1. */
async function backUp(plane: ControlPlane, directory: string): Promise<void> {
  const { api, serverId } = plane;
  const local_path = `${directory}/rearguard-backups`;
  const destination = await api.create("/backup-destinations", { label: "Here", type: "local", local_path });
  const task = await api.create("/backup-tasks", {
    remote_server_id: serverId,
    backup_destination_id: destination,
    label: "Docs",
    type: "files",
    source_path: `${directory}/documents`,
    frequency: "daily",
    time_to_run_at: "02:00",
    maximum_backups_to_keep: 7,
  });
  assert.equal((await api.run(task)).status, "successful");
}

/** Opens the first user's sessions 1 to 3. */
async function logIn({ services: { database, clock } }: ControlPlane): Promise<void> {
  const client = { address: "192.0.2.1", userAgent: "Firefox" };
  for (let session = 1; session <= 3; session++) await openSession(database, 1, client, clock.now());
}

Deno.test("a block that is not run says why, and few are not", async () => {
  const reasons: string[] = [];
  for (const page of PAGES) {
    for (const { notRun, language, line } of blocksOf(await readDocument(page))) {
      if (notRun === null) continue;
      assert.equal(language, "sh", `${page}:${line}`);
      assert.ok(notRun in NOT_RUN, `${page}:${line}: ${notRun} is no known reason`);
      reasons.push(notRun);
    }
  }
  assert.deepEqual([...new Set(reasons)].toSorted(), Object.keys(NOT_RUN).toSorted());
  assert.ok(reasons.length <= 6, `${reasons.length} blocks are not run`);
});
