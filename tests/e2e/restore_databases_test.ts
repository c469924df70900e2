/** Tests restores of databases through the API, a control plane and an agent. */
import assert from "node:assert/strict";
import { shell } from "../support/fixtures/backup_run.ts";
import { startControlPlane } from "../support/servers/control_plane.ts";
import { Secrecy } from "../support/assertions/secrecy.ts";
import type { DatabasePlace } from "../support/sources/fixture.ts";
import { mysqlFixture } from "../support/sources/mysql.ts";
import { postgresqlFixture } from "../support/sources/postgresql.ts";

const fixtures = { postgresql: postgresqlFixture, mysql: mysqlFixture };
const TABLES = "create table stock (id int primary key, name varchar(20)); insert into stock values (1, 'é')";

async function makeDatabases(place: DatabasePlace): Promise<void> {
  const door = place.login.engine === "mysql" ? "mysql" : "postgres";
  for (const name of ["depot", "yard"]) {
    await place.sql(door, `create database ${name}`);
    await place.sql(name, `${TABLES}; create view names as select name from stock`);
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
  const places = new Map<string, DatabasePlace>();
  for (const [engine, open] of Object.entries(fixtures)) {
    const place = stack.use(await open()).place!;
    await makeDatabases(place);
    places.set(engine, place);
  }
  using secrecy = new Secrecy(plane, [...places.values()].map(({ login }) => login.password!));
  await shell('mkdir "$1"; echo one > "$1/one"', `${root}/tree`);
  await backUp({ type: "files", source_path: `${root}/tree` });

  for (const [engine, place] of places) {
    await t.step(engine, async () => {
      const { host, port, username, password } = place.login;
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
      const original = await place.describe("depot");
      await place.sql("depot", "insert into stock values (2, 'later')");
      const refused = await api.carryOut(path);
      assert.equal(refused.status, "failed");
      assert.match(
        refused.reason,
        /^Cannot restore backup \d+: database depot is there already and not empty/,
      );
      const copied = await api.carryOut(path, { databases: ["depot"], database_name: "copy" });
      assert.equal(copied.status, "successful", copied.output);
      assert.deepEqual(await place.describe("copy"), original);
      assert.notDeepEqual(await place.describe("depot"), original);
      const replaced = await api.carryOut(path, { overwrite: true });
      assert.equal(replaced.status, "successful", replaced.output);
      for (const name of ["depot", "yard"]) assert.deepEqual(await place.describe(name), original);
      assert.deepEqual((await place.list()).sort(), ["copy", "depot", "yard"]);
    });
  }
  await t.step("no secret was told anywhere", () => secrecy.check());
});
