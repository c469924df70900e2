/**
 * Tests which requests the commands `restore`, `verify`, `drill`, `files` and `download` send, and what they
 * do with the responses.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { CliHome } from "../../../tests/support/clients/cli.ts";

const ARCHIVE = new TextEncoder().encode("archive");
const OBJECT = {
  role: "archive",
  name: "backup_1.tar.zst",
  size: ARCHIVE.length,
  sha256: createHash("sha256").update(ARCHIVE).digest("hex"),
};
const IDENTITY = "AGE-SECRET-KEY-1QQQQQQQQ";
const FINISHED = { status: "successful", reason: null, progress: { bytes_read: 7, bytes_written: 7 } };
const STREAM = 'id: 9-1\nevent: output\ndata: {"sequence":1,"text":"Restoring\\n"}\n\n' +
  `id: 9-end\nevent: finished\ndata: ${JSON.stringify(FINISHED)}\n\n`;

function entry(number: number) {
  const mtime = "2026-01-01T00:00:00Z";
  const common = { path: `photos/${number}`, size: 2, mode: "0644", uid: 0, gid: 0, modified_at: mtime };
  return { ...common, type: "file", link_target: null };
}

/** Starts a server that responds as the API's documentation says, and records the requests in order. */
function startStandInServer() {
  const requests: { call: string; body: unknown }[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname, search, searchParams } = new URL(request.url);
    const body = request.method === "POST" ? JSON.parse(await request.text() || "null") : null;
    requests.push({ call: `${request.method} ${pathname.slice(4)}${search}`, body });
    if (pathname === "/api/backups/1") return Response.json({ data: { id: 1, objects: [OBJECT] } });
    if (pathname.endsWith("/files")) {
      const page = Number(searchParams.get("page") ?? body.page);
      const links = { next: page === 1 ? "…" : null };
      return Response.json({ data: [entry(page)], links, meta: { total: 2 } });
    }
    if (pathname.endsWith("/download")) return new Response(ARCHIVE);
    if (pathname.endsWith("/stream")) return new Response(STREAM);
    if (pathname === "/api/backup-task-logs/9") {
      return Response.json({ data: { id: 9, warnings_count: 0, ...FINISHED } });
    }
    return Response.json({ message: "Begun.", backup_task_log_id: 9 }, { status: 202 });
  });
  return { requests, server, url: `http://127.0.0.1:${server.addr.port}` };
}

async function withCommands(
  work: (given: {
    requests: { call: string; body: unknown }[];
    home: CliHome;
    backups(args: string[], stdin?: string): ReturnType<CliHome["run"]>;
  }) => Promise<void>,
): Promise<void> {
  const { requests, server, url } = startStandInServer();
  await using _ = server;
  await using home = await CliHome.open();
  const env = { REARGUARD_URL: url, REARGUARD_API_TOKEN: "rg_test" };
  const backups = (args: string[], stdin?: string) =>
    home.run(["backups", ...args], stdin === undefined ? { env } : { env, stdin });
  await work({ requests, home, backups });
}

Deno.test("restore sends the chosen options and follows its own log", () =>
  withCommands(async ({ requests, backups }) => {
    const flags = "--server 2 --target-path /srv/back --path a --path b/c --overwrite --identity-from stdin";
    const { code, stdout, stderr } = await backups(["restore", "1", ...flags.split(" ")], `${IDENTITY}\n`);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(stdout, "Restoring\nRun 9 succeeded: 7 B read, 7 B written\n");
    const chosen = { remote_server_id: 2, target_path: "/srv/back", paths: ["a", "b/c"], overwrite: true };
    assert.deepEqual(requests, [
      { call: "POST /backups/1/restore", body: { ...chosen, identity: IDENTITY } },
      { call: "GET /backup-task-logs/9/stream", body: null },
      { call: "GET /backup-task-logs/9", body: null },
    ]);
    const begun = await backups(["restore", "1", "--database-name", "shop", "--no-follow", "--json"]);
    assert.deepEqual(JSON.parse(begun.stdout), { message: "Begun.", backup_task_log_id: 9 });
    assert.deepEqual(requests.at(-1)!.body, { database_name: "shop" });
    assert.equal((await backups(["verify", "1", "--no-follow"])).code, 0);
    assert.deepEqual(requests.at(-1), { call: "POST /backups/1/verify", body: {} });
    const drilled = await backups(["drill", "1", "--follow"]);
    assert.deepEqual([drilled.code, drilled.stdout.split("\n").at(-2)], [
      0,
      "Run 9 succeeded: 7 B read, 7 B written",
    ]);
    assert.deepEqual(requests.at(-3), { call: "POST /backups/1/drill", body: {} });
  }));

Deno.test("a restore, a verification and a drill accept another server, and restores accept database names and a database server", () =>
  withCommands(async ({ requests, backups }) => {
    const ask = async (flags: string) => {
      const { code, stderr } = await backups([...flags.split(" "), "--no-follow"]);
      assert.equal(code, 0, stderr);
      return requests.at(-1)!.body;
    };
    const names = "--databases shop --databases blog";
    const server = "--database-host db.staging --database-port 5433 --database-username qa";
    assert.deepEqual(await ask(`restore 1 --server 3 ${names} ${server}`), {
      remote_server_id: 3,
      databases: ["shop", "blog"],
      database_host: "db.staging",
      database_port: 5433,
      database_username: "qa",
    });
    const onSocket = { remote_server_id: 3, database_host: null };
    assert.deepEqual(await ask("restore 1 --server 3 --local-socket"), onSocket);
    assert.deepEqual(await ask("drill 1 --server 3 --local-socket"), onSocket);
    assert.deepEqual(await ask("verify 1 --server 3"), { remote_server_id: 3 });
    const both = await backups(["restore", "1", "--local-socket", "--database-host", "x"]);
    assert.equal(both.code, 2);
  }));

Deno.test("a suspicion and damage are cleared", () =>
  withCommands(async ({ requests, backups }) => {
    const suspicion = await backups(["clear-suspicion", "1"]);
    assert.equal(suspicion.stdout, "Backup 1 is not suspicious any more: the rules of its task apply\n");
    assert.equal(requests.at(-1)!.call, "DELETE /backups/1/suspicion");
    const damage = await backups(["clear-damage", "1"]);
    assert.equal(damage.stdout, "Backup 1 is marked as intact: the rules of its task apply\n");
    assert.equal(requests.at(-1)!.call, "DELETE /backups/1/damage");
  }));

Deno.test("files are listed from the index, by POST if reading it needs an identity", () =>
  withCommands(async ({ requests, backups }) => {
    const { stdout } = await backups(["files", "1", "photos"]);
    assert.match(
      stdout,
      /^Mode +Owner +Size +Modified +Path\n0644 +0:0 +2 B +\S+Z +photos\/1\n.*photos\/2\n$/,
    );
    const query = (page: number) => `page=${page}&per_page=100&path=photos`;
    assert.deepEqual(requests.map(({ call }) => call), [
      `GET /backups/1/files?${query(1)}`,
      `GET /backups/1/files?${query(2)}`,
    ]);
    await backups(["files", "1", "--page", "1", "--identity-from", "stdin"], IDENTITY);
    assert.deepEqual(requests.at(-1), {
      call: "POST /backups/1/files",
      body: { page: 1, identity: IDENTITY },
    });
  }));

Deno.test("an object is downloaded under its own name, and never replaces another file", () =>
  withCommands(async ({ requests, home, backups }) => {
    const { code, stdout, stderr } = await backups(["download", "1"]);
    const path = `${home.directory}/${OBJECT.name}`;
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(stdout, `${path}: 7 bytes, SHA-256 ${OBJECT.sha256} (as stored)\n`);
    assert.equal(await Deno.readTextFile(path), "archive");
    const again = await backups(["download", "1"]);
    assert.deepEqual([again.code, again.stdout], [1, ""]);
    assert.match(again.stderr, /^Cannot download backup_1\.tar\.zst: \S+ exists; use --overwrite\n$/);
    const args = ["download", "1", "--path", "photos/cat one.txt", "--output", "cat", "--json"];
    const { path: file, size } = JSON.parse((await backups(args)).stdout);
    assert.deepEqual([file, size], [`${home.directory}/cat`, 7]);
    assert.equal(requests.at(-1)!.call, "GET /backups/1/files/download?path=photos%2Fcat%20one.txt");
  }));
