import assert from "node:assert/strict";
import { systemClock } from "../../src/domain/clock.ts";
import { ApiCaller } from "../support/clients/client.ts";
import { emptyDatabase } from "../support/fixtures/database.ts";
import { freePort } from "../support/servers/ports.ts";
import { MailReceiver } from "../support/servers/receivers.ts";
import { rightsOf } from "../support/assertions/rights.ts";
import { ServerProcess } from "../support/servers/server.ts";
import { until } from "../support/assertions/until.ts";

const ALONE = { LOCAL_AGENT: "0" };

/** Runs `work` with a new data directory, then ends every process that uses this directory. */
async function withDataDirectory(work: (dataDirectory: string) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "rearguard-start-" });
  await Deno.chmod(parent, 0o755);
  try {
    await work(`${parent}/data`);
  } finally {
    for (const pid of await processesNaming(parent)) Deno.kill(pid, "SIGKILL");
    await Deno.remove(parent, { recursive: true });
  }
}

/** Returns the ids of processes with `text` in their arguments. Zombies are left out. */
async function processesNaming(text: string): Promise<number[]> {
  const pids: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const command = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (command.includes(text)) pids.push(Number(name));
  }
  return pids;
}

async function getUser(url: string, token: string): Promise<Response> {
  return await fetch(`${url}/api/user`, { headers: { authorization: `Bearer ${token}` } });
}

/** Starts a control plane that must fail, and returns its only line on standard error. */
async function refusal(options: ConstructorParameters<typeof ServerProcess>[0]): Promise<string> {
  const server = new ServerProcess({ ...options, env: { LOG_LEVEL: "fatal", ...ALONE, ...options.env } });
  const { code } = await server.ended();
  assert.equal(code, 1, server.stderr);
  const lines = server.stderr.trimEnd().split("\n");
  assert.equal(lines.length, 1, server.stderr);
  assert.equal(server.stdout, "");
  return lines[0]!;
}

Deno.test("the first start prints a token that works, the second keeps it and prints none", () =>
  withDataDirectory(async (dataDirectory) => {
    const first = new ServerProcess({ dataDirectory, env: ALONE });
    const url = await first.ready();
    const token = first.token!;
    assert.equal((await getUser(url, token)).status, 200);
    assert.equal(Number(await Deno.readTextFile(`${dataDirectory}/rearguard.pid`)), first.pid);
    assert.equal((await Deno.stat(`${dataDirectory}/secret.key`)).mode! & 0o777, 0o600);
    assert.equal((await first.stop("SIGTERM")).code, 0);
    assert.deepEqual(await processesNaming(dataDirectory), []);
    await assert.rejects(Deno.stat(`${dataDirectory}/rearguard.pid`), Deno.errors.NotFound);

    const second = new ServerProcess({ dataDirectory, env: ALONE });
    const again = await second.ready();
    assert.equal(second.token, null);
    const response = await getUser(again, token);
    assert.equal(response.status, 200);
    await response.body?.cancel();
    assert.equal((await second.stop("SIGINT")).code, 0);
    assert.deepEqual(await processesNaming(dataDirectory), []);
  }));

Deno.test("after kill -9 the next start adopts the running Postgres", () =>
  withDataDirectory(async (dataDirectory) => {
    const first = new ServerProcess({ dataDirectory, env: ALONE });
    await first.ready();
    await first.stop("SIGKILL");
    const postmaster =
      (await Deno.readTextFile(`${dataDirectory}/postgres/data/postmaster.pid`)).split("\n")[0];
    const second = new ServerProcess({ dataDirectory, env: ALONE });
    const url = await second.ready();
    assert.match(second.stderr, new RegExp(`embedded Postgres still runs \\(process ${postmaster}\\)`));
    assert.equal((await getUser(url, first.token!)).status, 200);
    assert.equal((await second.stop()).code, 0);
    assert.deepEqual(await processesNaming(dataDirectory), []);
  }));

Deno.test("an embedded Postgres that is killed comes back by itself", () =>
  withDataDirectory(async (dataDirectory) => {
    const server = new ServerProcess({ dataDirectory, env: ALONE });
    const url = await server.ready();
    const [postmaster] = (await Deno.readTextFile(`${dataDirectory}/postgres/data/postmaster.pid`)).split(
      "\n",
    );
    Deno.kill(Number(postmaster), "SIGKILL");
    await server.until(() => server.stderr.includes("it is started again"));
    const response = await getUser(url, server.token!);
    assert.equal(response.status, 200, await response.text());
    assert.equal((await server.stop()).code, 0);
    assert.deepEqual(await processesNaming(dataDirectory), []);
  }));

Deno.test("a stop during the start leaves nothing behind", () =>
  withDataDirectory(async (dataDirectory) => {
    const server = new ServerProcess({ dataDirectory, args: ["--local-agent"] });
    await server.until(() => server.stderr.includes("embedded Postgres is started"));
    assert.equal((await server.stop()).code, 0);
    assert.deepEqual(await processesNaming(dataDirectory), []);
  }));

Deno.test("an operator's token is used and not printed", () =>
  withDataDirectory(async (dataDirectory) => {
    await using db = await emptyDatabase();
    const env = { ...ALONE, DATABASE_URL: db.url, BOOTSTRAP_TOKEN: "chosen-by-the-operator" };
    const server = new ServerProcess({ dataDirectory, env });
    const url = await server.ready();
    assert(!`${server.stdout}${server.stderr}`.includes("chosen-by-the-operator"));
    assert.equal((await getUser(url, "chosen-by-the-operator")).status, 200);
    await server.stop();
    assert.doesNotMatch(server.stderr, /BOOTSTRAP_TOKEN/);
  }));

Deno.test("an operator's token that comes too late is named as unused, and the database gives another", () =>
  withDataDirectory(async (dataDirectory) => {
    await using db = await emptyDatabase();
    const env = { ...ALONE, DATABASE_URL: db.url };
    await using first = new ServerProcess({ dataDirectory, env });
    await first.ready();
    await first.stop();
    await using second = new ServerProcess({
      dataDirectory,
      env: { ...env, BOOTSTRAP_TOKEN: "too-late-to-be-used" },
    });
    const url = await second.ready();
    assert.match(second.stderr, /BOOTSTRAP_TOKEN is not used.*deno task admin token/);
    assert(!second.stderr.includes("too-late-to-be-used"));
    const admin = new Deno.Command(Deno.execPath(), {
      args: ["run", ...rightsOf("admin"), "src/admin/main.ts", "token"],
      env: { ...env, DATA_DIR: dataDirectory },
    });
    const { stdout } = await admin.output();
    const [, token] = /shown only now: (rg_\S+)/.exec(new TextDecoder().decode(stdout)) ?? [];
    assert.equal((await getUser(url, token!)).status, 200);
  }));

Deno.test("a second server on one data directory is refused, the first unharmed", () =>
  withDataDirectory(async (dataDirectory) => {
    await using db = await emptyDatabase();
    await using first = new ServerProcess({ dataDirectory, env: { ...ALONE, DATABASE_URL: db.url } });
    const url = await first.ready();
    assert.equal(
      await refusal({ dataDirectory }),
      `Cannot start: another Rearguard (process ${first.pid}) uses ${dataDirectory}; stop it, ` +
        "or set DATA_DIR to another directory",
    );
    assert.equal((await getUser(url, first.token!)).status, 200);
    assert.equal(Number(await Deno.readTextFile(`${dataDirectory}/rearguard.pid`)), first.pid);
  }));

Deno.test("a taken port is told in one line, and the embedded Postgres is not left behind", () =>
  withDataDirectory(async (dataDirectory) => {
    const port = freePort();
    using _listener = Deno.listen({ hostname: "127.0.0.1", port });
    assert.equal(
      await refusal({ dataDirectory, env: { PORT: String(port) } }),
      `Cannot start: port ${port} on 127.0.0.1 is taken; stop what uses it, or set PORT`,
    );
    assert.deepEqual(await processesNaming(dataDirectory), []);
  }));

Deno.test("bad values are named in one line", () =>
  withDataDirectory(async (dataDirectory) => {
    assert.equal(
      await refusal({ dataDirectory, env: { PORT: "eighty", LOG_FORMAT: "xml" } }),
      "Cannot start: PORT must be a whole number from 0 to 65535; LOG_FORMAT must be one of pretty, json",
    );
  }));

Deno.test("a data directory that can't be written is told in one line", () =>
  withDataDirectory(async (dataDirectory) => {
    await Deno.writeTextFile(dataDirectory, "a file");
    assert.match(
      await refusal({ dataDirectory }),
      /^Cannot start: the data directory \S+ can't be written: .*; set DATA_DIR to a directory/,
    );
  }));

Deno.test("a database that can't be reached, or lets nobody in, is told in one line without the password", () =>
  withDataDirectory(async (dataDirectory) => {
    const unreachable = `postgres://u:hunter2@127.0.0.1:${freePort()}/x`;
    assert.match(
      await refusal({ dataDirectory, env: { DATABASE_URL: unreachable } }),
      /^Cannot reach the database: .*ECONNREFUSED.*; check DATABASE_URL/,
    );
    await using db = await emptyDatabase();
    const wrong = new URL(db.url);
    wrong.password = "hunter2";
    const line = await refusal({ dataDirectory, env: { DATABASE_URL: wrong.href } });
    assert.match(line, /^Cannot reach the database: password authentication failed/);
    assert(!line.includes("hunter2"));
  }));

Deno.test("a database newer than the code is refused in one line", () =>
  withDataDirectory(async (dataDirectory) => {
    await using db = await emptyDatabase();
    const env = { ...ALONE, DATABASE_URL: db.url };
    const server = new ServerProcess({ dataDirectory, env });
    await server.ready();
    await server.stop();
    await db.database`
      insert into schema_migrations (version, name, checksum, applied_at)
      values (9999, '9999_of_tomorrow', '', ${systemClock.now()})`;
    assert.match(
      await refusal({ dataDirectory, env }),
      /^Cannot use the database: it holds migration 9999_of_tomorrow, which is newer than this version/,
    );
  }));

Deno.test("a lost secret key is missed, not replaced", () =>
  withDataDirectory(async (dataDirectory) => {
    await using db = await emptyDatabase();
    const env = { ...ALONE, DATABASE_URL: db.url };
    const server = new ServerProcess({ dataDirectory, env });
    await server.ready();
    await server.stop();
    await Deno.remove(`${dataDirectory}/secret.key`);
    assert.match(
      await refusal({ dataDirectory, env }),
      /^Cannot start: the secret key is missing \(.*secret\.key\)/,
    );
  }));

Deno.test("missing programs are named with the command that installs them", () =>
  withDataDirectory(async (dataDirectory) => {
    const env = { LOCAL_AGENT: "1", PATH: "/nonexistent" };
    assert.match(
      await refusal({ dataDirectory, env }),
      /^Cannot start the local agent: a backup needs tar, zstd, setpriv; run: apt-get update && apt-get install -y tar zstd util-linux/,
    );
  }));

const LOCAL = ["--local-agent"];

async function agentPid(dataDirectory: string): Promise<number> {
  return Number(await Deno.readTextFile(`${dataDirectory}/agent/agent.pid`));
}

Deno.test("ready means that the local agent is the first administrator's connected server, and a stop ends it", () =>
  withDataDirectory(async (dataDirectory) => {
    const first = new ServerProcess({ dataDirectory, args: LOCAL });
    const url = await first.ready();
    const headers = { authorization: `Bearer ${first.token}` };
    const { data } = await (await fetch(`${url}/api/remote-servers`, { headers })).json();
    assert.equal(data.length, 1);
    assert.equal(data[0].label, Deno.hostname());
    assert.equal(data[0].connection.ip_address, "127.0.0.1");
    assert.equal(data[0].status.connectivity, "connected");
    const environment = await Deno.readTextFile(`/proc/${await agentPid(dataDirectory)}/cmdline`);
    assert(!environment.includes("rge_"), "the enrolment token is in the agent's arguments");
    assert.equal((await first.stop()).code, 0);
    assert.deepEqual(await processesNaming(dataDirectory), []);

    const second = new ServerProcess({ dataDirectory, args: LOCAL });
    const again = await second.ready();
    const servers = await (await fetch(`${again}/api/remote-servers`, { headers })).json();
    assert.deepEqual(servers.data.map(({ id }: { id: number }) => id), [data[0].id]);
    assert.equal((await second.stop("SIGINT")).code, 0);
    assert.deepEqual(await processesNaming(dataDirectory), []);
  }));

Deno.test("after kill -9 the next start adopts the local agent, and still stops it", () =>
  withDataDirectory(async (dataDirectory) => {
    const env = { PORT: String(freePort()) };
    const first = new ServerProcess({ dataDirectory, env, args: LOCAL });
    await first.ready();
    const pid = await agentPid(dataDirectory);
    await first.stop("SIGKILL");
    const second = new ServerProcess({ dataDirectory, env, args: LOCAL });
    await second.ready();
    assert.match(second.stderr, new RegExp(`local agent still runs \\(process ${pid}\\)`));
    assert.equal(await agentPid(dataDirectory), pid);
    assert.equal((await second.stop()).code, 0);
    assert.deepEqual(await processesNaming(dataDirectory), []);
  }));

Deno.test("an agent left behind for another address is replaced", () =>
  withDataDirectory(async (dataDirectory) => {
    const first = new ServerProcess({ dataDirectory, args: LOCAL });
    await first.ready();
    const pid = await agentPid(dataDirectory);
    await first.stop("SIGKILL");
    const second = new ServerProcess({ dataDirectory, env: { PORT: String(freePort()) }, args: LOCAL });
    await second.ready();
    assert.notEqual(await agentPid(dataDirectory), pid);
    await second.stop();
    assert.deepEqual(await processesNaming(dataDirectory), []);
  }));

Deno.test("a local agent that dies is started again", () =>
  withDataDirectory(async (dataDirectory) => {
    const server = new ServerProcess({ dataDirectory, args: LOCAL });
    await server.ready();
    const pid = await agentPid(dataDirectory);
    Deno.kill(pid, "SIGKILL");
    const starts = () => [...server.stderr.matchAll(/The local agent is started/g)].length;
    await server.until(() => starts() === 2);
    await server.stop();
    assert.deepEqual(await processesNaming(dataDirectory), []);
  }));

Deno.test("a database shared by two machines keeps each one's agent apart", () =>
  withDataDirectory(async (dataDirectory) => {
    await using db = await emptyDatabase();
    const env = { DATABASE_URL: db.url, SECRET_KEY: "ab".repeat(32) };
    const first = new ServerProcess({ dataDirectory, env, args: LOCAL });
    await first.ready();
    await first.stop();
    await db.database`
      update remote_servers set agent_description = agent_description || '{"hostname": "elsewhere"}'::jsonb`;
    assert.match(
      await refusal({ dataDirectory: `${dataDirectory}-2`, env: { ...env, LOCAL_AGENT: "1" } }),
      /^Cannot start the local agent: the remote server \S+ \(127\.0\.0\.1\) has the agent of elsewhere/,
    );
  }));

Deno.test("a run that nobody takes is told by the mail server of the configuration, a test too", () =>
  withDataDirectory(async (dataDirectory) => {
    await using mail = await MailReceiver.open({ user: "me", password: "hunter2" });
    const server = new ServerProcess({
      dataDirectory,
      env: {
        ...ALONE,
        BOOTSTRAP_TOKEN: "a-token-for-tests",
        RUN_START_SECONDS: "1",
        SMTP_URL: `smtp://me:hunter2@${mail.address}`,
        SMTP_FROM: "Backups <backups@example.com>",
      },
    });
    const api = new ApiCaller(await server.ready(), "a-token-for-tests");
    const streamId = await api.create("/notification-streams", {
      label: "On call",
      type: "email",
      value: "ops@example.com",
    });
    const { body } = await api.call("POST", `/notification-streams/${streamId}/test`);
    assert.deepEqual(body.data, { ok: true, message: "The message was taken." });
    const destination = { label: "here", type: "local", local_path: dataDirectory };
    const taskId = await api.create("/backup-tasks", {
      remote_server_id: await api.create("/remote-servers", { label: "web", ip_address: "192.0.2.1" }),
      backup_destination_id: await api.create("/backup-destinations", destination),
      label: "Büro",
      type: "files",
      source_path: "/srv",
      custom_cron_expression: "0 0 29 2 *",
      notification_stream_ids: [streamId],
    });
    assert.equal((await api.call("POST", `/backup-tasks/${taskId}/run`)).status, 202);
    await until(() => mail.received.length === 2);
    const [test, failure] = mail.received;
    assert.deepEqual([failure!.from, failure!.to], ["backups@example.com", ["ops@example.com"]]);
    assert.match(test!.headers, /^Subject: \[Rearguard\] This is a test from Rearguard$/m);
    assert.match(failure!.text, /^Backup of Büro failed\n\nReason: No agent accepted the run within 1 s\./);
    assert.equal((await server.stop()).code, 0);
    assert(!(server.stdout + server.stderr).includes("hunter2"), "the log tells the password");
  }));
