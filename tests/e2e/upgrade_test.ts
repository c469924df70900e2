/**
 * Upgrades from the oldest control plane. `tests/compat/oldest` has its database, its agent's key and its
 * stored objects.
 */
import assert from "node:assert/strict";
import { AwsClient } from "aws4fetch";
import { Buffer } from "node:buffer";
import { Keyring } from "../../src/secrets/keyring.ts";
import { shell } from "../support/fixtures/backup_run.ts";
import { ApiCaller } from "../support/clients/client.ts";
import { emptyDatabase, type TestDatabase } from "../support/fixtures/database.ts";
import { MariadbServer } from "../support/servers/mariadb.ts";
import { PostgresqlServer } from "../support/servers/postgresql.ts";
import { TestS3 } from "../support/servers/s3.ts";
import { ServerProcess } from "../support/servers/server.ts";
import { TestSshd } from "../support/servers/sshd.ts";

const FIXTURE = new URL("../compat/oldest/", import.meta.url).pathname;
const SECRET_KEY = "0123456789abcdef".repeat(4);
const TOKEN = "rg_of-the-oldest-control-plane-0123456789";

interface Peers {
  root: string;
  s3: TestS3;
  sshd: TestSshd;
  postgres: PostgresqlServer;
  mariadb: MariadbServer;
}

/** Starts every server that the old control plane used, at new addresses. */
async function openPeers(stack: AsyncDisposableStack): Promise<Peers> {
  const root = await Deno.makeTempDir({ prefix: "rearguard-oldest-", dir: "/var/tmp" });
  stack.defer(() => Deno.remove(root, { recursive: true }));
  const [s3, sshd, postgres, mariadb] = await Promise.all([
    TestS3.open(),
    TestSshd.open(),
    PostgresqlServer.open(),
    MariadbServer.open(),
  ]);
  for (const peer of [s3, sshd, postgres, mariadb]) stack.use(peer);
  await shell(
    `chmod 755 "$1" && zstd -dc "$2/objects.tar.zst" | tar -C "$1" -xpf - && mkdir -p "$1/data" && mv "$1/agent" "$1/data/agent"
    cp -a "$1/sftp/." "$3/" && chown -R "$4:$5" "$3"`,
    ...[root, FIXTURE, sshd.directory, String(sshd.uid), String(sshd.gid)],
  );
  const client = new AwsClient({
    accessKeyId: s3.accessKey,
    secretAccessKey: s3.secretKey,
    service: "s3",
    region: "us-east-1",
  });
  for (
    const line of (await shell('cd "$1/s3" && find . -name "*._S3rver_object"', root)).trim().split("\n")
  ) {
    const key = line.slice(2, -"._S3rver_object".length);
    const body = await Deno.readFile(`${root}/s3/${line}`);
    const answer = await client.fetch(`${s3.endpoint}/${s3.bucket}/${key}`, { method: "PUT", body });
    assert.equal(answer.status, 200, await answer.text());
  }
  return { root, s3, sshd, postgres, mariadb };
}

/**
 * Loads the old database. Changes only the addresses, log-ins and names of servers, so that the control plane
 * uses the servers of this test.
 */
async function loadDatabase({ url, database }: TestDatabase, peers: Peers): Promise<void> {
  const { root, s3, sshd, postgres, mariadb } = peers;
  const text = (await Deno.readTextFile(`${FIXTURE}database.sql`))
    .replaceAll("@ROOT@", root).replaceAll("@SFTP@", sshd.directory);
  await Deno.writeTextFile(`${root}/database.sql`, text);
  await shell('psql -q -X -v ON_ERROR_STOP=1 -d "$1" -f "$2"', url, `${root}/database.sql`);
  const keyring = new Keyring([Buffer.from(SECRET_KEY, "hex")]);
  await database.begin(async (sql) => {
    await sql`
      update backup_destinations set s3_endpoint = ${s3.endpoint}, s3_access_key_encrypted = ${
      keyring.encrypt(s3.accessKey)
    }, s3_secret_key_encrypted = ${keyring.encrypt(s3.secretKey)} where type = 'custom_s3'`;
    await sql`
      update backup_destinations set sftp_port = ${sshd.port}, sftp_username = ${sshd.username},
        sftp_private_key_encrypted = ${keyring.encrypt(sshd.privateKey)}, sftp_host_key = ${sshd.hostKey}
      where type = 'sftp'`;
    for (const [type, server] of [["postgresql", postgres], ["mysql", mariadb]] as const) {
      await sql`update backup_tasks set database_port = ${server.port} where database_type = ${type}`;
    }
    await sql`
      update remote_servers set agent_description = agent_description || ${
      sql.json({ hostname: Deno.hostname() })
    }`;
  });
}

interface Backup {
  id: number;
  backup_task_id: number;
  file_name: string;
}

Deno.test("everything that the oldest control plane stored is listed, verified and restored after an upgrade", async (t) => {
  await using stack = new AsyncDisposableStack();
  const peers = await openPeers(stack);
  const db = stack.use(await emptyDatabase());
  await loadDatabase(db, peers);
  const server = stack.use(
    new ServerProcess({
      dataDirectory: `${peers.root}/data`,
      env: { DATABASE_URL: db.url, SECRET_KEY, RATE_LIMIT_PER_MINUTE: "0" },
      args: ["--local-agent"],
    }),
  );
  const api = new ApiCaller(await server.ready(), TOKEN);
  assert.equal(server.token, null, "The upgrade made a new administrator");

  const list = async (path: string) => (await api.call("GET", `${path}?per_page=100`)).body.data;
  const backups: Backup[] = await list("/backups");
  const tasks: { id: number; label: string; paused_at: string | null }[] = await list("/backup-tasks");
  const labels = new Map(tasks.map(({ id, label }) => [id, label]));
  assert.equal(backups.length, 18);
  assert.equal(tasks.length, 18);
  const [remote] = await list("/remote-servers");
  assert.equal(remote.status.connectivity, "connected", "The agent's key is good no longer");
  assert.equal((await list("/backup-task-logs")).length, 18);

  for (const backup of backups) {
    const label = labels.get(backup.backup_task_id)!;
    await t.step(`${label} (backup ${backup.id})`, async () => {
      const verified = await api.carryOut(`/backups/${backup.id}/verify`);
      assert.equal(verified.status, "successful", verified.output);
      assert.equal(verified.warnings_count, 0, verified.output);
      if (label.startsWith("files")) await restoreFiles(api, peers, backup);
      else await restoreDatabase(api, peers, backup, label.startsWith("mysql") ? "mysql" : "postgresql");
    });
  }
  await t.step("its tasks make backups again, beside the old ones", async () => {
    await peers.postgres.sql("postgres", "create database shop");
    await peers.postgres.sql("shop", await Deno.readTextFile(`${FIXTURE}postgresql.sql`));
    await peers.mariadb.sql("mysql", "create database if not exists shop");
    await peers.mariadb.sql("shop", await Deno.readTextFile(`${FIXTURE}mysql.sql`));
    for (const { id, label } of tasks) {
      await api.call("POST", `/backup-tasks/${id}/resume`);
      const log = await api.run(id);
      assert.equal(log.status, "successful", `${label}: ${log.output}`);
      assert.equal((await list(`/backup-tasks/${id}/backups`)).length, 2, label);
    }
  });
});

async function restoreFiles(api: ApiCaller, { root }: Peers, { id }: Backup): Promise<void> {
  const { status, body } = await api.call("GET", `/backups/${id}/files`);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.data.map(({ name }: { name: string }) => name).sort(), [
    "link",
    "one",
    "sub",
    'süß "x"',
  ]);
  const target_path = `${root}/restored-${id}`;
  const log = await api.carryOut(`/backups/${id}/restore`, { target_path });
  assert.equal(log.status, "successful", log.output);
  await shell('diff -r --no-dereference "$1" "$2"', `${root}/source`, target_path);
  const describe = 'cd "$1" && find . -printf "%P %y %m %TY-%Tm-%Td %TH:%TM %n %l\\n" | sort';
  assert.equal(await shell(describe, target_path), await shell(describe, `${root}/source`));
  const one = await api.carryOut(`/backups/${id}/restore`, {
    target_path: `${target_path}-part`,
    paths: ["sub/long"],
  });
  assert.equal(one.status, "successful", one.output);
  await shell('cmp "$1/sub/long" "$2/sub/long"', `${root}/source`, `${target_path}-part`);
}

async function restoreDatabase(
  api: ApiCaller,
  { postgres, mariadb }: Peers,
  { id }: Backup,
  type: "postgresql" | "mysql",
): Promise<void> {
  const server = type === "mysql" ? mariadb : postgres;
  const door = type === "mysql" ? "mysql" : "postgres";
  // No database has the original's name yet, so the restored database gets this name. If the dump contains
  // references to this name, the restore leaves them unchanged.
  const log = await api.carryOut(`/backups/${id}/restore`);
  assert.equal(log.status, "successful", log.output);
  assert.match(
    await server.sql("shop", "select id, name from items order by id"),
    /tea[\s\S]*SÜSS|tea[\s\S]*süß/i,
  );
  assert.match(await server.sql("shop", "select count(*) from cheap"), /^1$/m);
  await server.sql("shop", "insert into items (name) values ('loud')");
  assert.match(await server.sql("shop", "select name from items where name = 'LOUD'"), /LOUD/);
  await server.sql(door, "drop database shop");
}
