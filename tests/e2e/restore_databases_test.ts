/** Tests restores of databases through the API, a control plane and an agent. */
import assert from "node:assert/strict";
import { shell } from "../support/fixtures/backup_run.ts";
import { startControlPlane } from "../support/servers/control_plane.ts";
import { Secrecy } from "../support/assertions/secrecy.ts";
import type { RestoreServer } from "../support/sources/fixture.ts";
import { mysqlFixture } from "../support/sources/mysql.ts";
import { postgresqlFixture } from "../support/sources/postgresql.ts";

const fixtures = { postgresql: postgresqlFixture, mysql: mysqlFixture };
const TABLES = "create table stock (id int primary key, name varchar(20)); insert into stock values (1, 'é')";

async function makeDatabases(server: RestoreServer): Promise<void> {
  const door = server.login.engine === "mysql" ? "mysql" : "postgres";
  for (const name of ["depot", "yard"]) {
    await server.sql(door, `create database ${name}`);
    await server.sql(name, `${TABLES}; create view names as select name from stock`);
  }
}

Deno.test("databases come back through the API, under a new name and over the old one", async (t) => {
  await using stack = new AsyncDisposableStack();
  const plane = stack.use(await startControlPlane());
  const { api, serverId } = plane;
  const root = await Deno.makeTempDir({ prefix: "rearguard-restore-" });
  stack.defer(() => Deno.remove(root, { recursive: true }));
  const backup_destination_id = await api.create("/backup-destinations", {
    label: "here",
    type: "local",
    local_path: `${root}/backups`,
  });
  const backUp = async (fields: Record<string, unknown>): Promise<number> => {
    const schedule = { frequency: "daily", time_to_run_at: "01:00" };
    const where = { remote_server_id: serverId, backup_destination_id };
    const taskId = await api.create("/backup-tasks", { label: "x", ...where, ...schedule, ...fields });
    const log = await api.run(taskId);
    assert.equal(log.status, "successful", log.output);
    return (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data[0].id;
  };
  const servers = new Map<string, RestoreServer>();
  for (const [engine, open] of Object.entries(fixtures)) {
    const server = stack.use(await open()).restoreServer!;
    await makeDatabases(server);
    servers.set(engine, server);
  }
  using secrecy = new Secrecy(plane, [...servers.values()].map(({ login }) => login.password!));
  await shell('mkdir "$1"; echo one > "$1/one"', `${root}/tree`);
  await backUp({ type: "files", source_path: `${root}/tree` });

  for (const [engine, server] of servers) {
    await t.step(engine, async () => {
      const { host, port, username, password } = server.login;
      const backupId = await backUp({
        type: "database",
        database_type: engine,
        database_name: "depot,yard",
        database_host: host,
        database_port: port,
        database_username: username,
        database_password: password,
      });
      const path = `/backups/${backupId}/restore`;
      const original = await server.describe("depot");
      await server.sql("depot", "insert into stock values (2, 'later')");
      const before = await server.list();
      const { data } = (await api.call("POST", `${path}/preview`, {})).body;
      assert.deepEqual(
        data.targets,
        ["depot", "yard"].map((name) => ({
          source: name,
          path: null,
          database_name: name,
          state: "occupied",
        })),
      );
      assert.deepEqual([data.requested.databases_count, data.requested.rows_count], [2, 2]);
      assert.match(data.server, new RegExp(` as ${username}$`));
      assert.deepEqual(
        data.obstacles.map(({ path, problem }: Record<string, string>) => `${path} ${problem}`),
        ["database depot is there already and not empty", "database yard is there already and not empty"],
      );
      const copy = { databases: ["depot"], database_name: "copy" };
      const free = (await api.call("POST", `${path}/preview`, copy)).body.data;
      assert.deepEqual([free.is_possible, free.targets[0].database_name, free.targets[0].state], [
        true,
        "copy",
        "missing",
      ]);
      assert.deepEqual(await server.list(), before);
      const refused = await api.carryOut(path);
      assert.equal(refused.status, "failed");
      assert.match(
        refused.reason!,
        /^Cannot restore backup \d+: database depot is there already and not empty/,
      );
      const copied = await api.carryOut(path, { databases: ["depot"], database_name: "copy" });
      assert.equal(copied.status, "successful", copied.output);
      assert.deepEqual([copied.restored!.requested.databases_count, copied.restored!.requested.rows_count], [
        1,
        1,
      ]);
      assert.deepEqual([copied.restored!.written.databases_count, copied.restored!.targets], [1, ["copy"]]);
      assert.deepEqual(await server.describe("copy"), original);
      assert.notDeepEqual(await server.describe("depot"), original);
      const replaced = await api.carryOut(path, { overwrite: true });
      assert.equal(replaced.status, "successful", replaced.output);
      for (const name of ["depot", "yard"]) assert.deepEqual(await server.describe(name), original);
      assert.deepEqual((await server.list()).sort(), ["copy", "depot", "yard"]);
    });
  }
  await t.step("no secret was told anywhere", () => secrecy.check());
});
