/** Tests drills of databases through the API, a control plane, its schedule and an agent. */
import assert from "node:assert/strict";
import { queueDueDrills } from "../../src/services/backups/drills.ts";
import { TestClock } from "../support/fixtures/clock.ts";
import { startControlPlane } from "../support/servers/control_plane.ts";
import { MariadbServer } from "../support/servers/mariadb.ts";
import { PostgresqlServer } from "../support/servers/postgresql.ts";
import { Secrecy } from "../support/assertions/secrecy.ts";
import { until } from "../support/assertions/until.ts";

const DAY = 24 * 3_600_000;
const LIST = {
  postgresql: ["postgres", "select datname from pg_database where datname like 'shop%'"],
  mysql: ["mysql", "select schema_name from information_schema.schemata where schema_name like 'shop%'"],
} as const;

Deno.test("databases are restored in drills on schedule and on demand", async (t) => {
  await using stack = new AsyncDisposableStack();
  const plane = stack.use(await startControlPlane());
  const { api, serverId, services } = plane;
  const root = await Deno.makeTempDir({ prefix: "rearguard-drills-" });
  stack.defer(() => Deno.remove(root, { recursive: true }));
  const servers = { postgresql: await PostgresqlServer.open(), mysql: await MariadbServer.open() };
  for (const server of Object.values(servers)) stack.use(server);
  using secrecy = new Secrecy(plane, Object.values(servers).map(({ password }) => password));
  const backup_destination_id = await api.create("/backup-destinations", {
    label: "here",
    type: "local",
    local_path: `${root}/backups`,
  });
  for (const [engine, server] of Object.entries(servers)) {
    await t.step(engine, async () => {
      const [door, list] = LIST[engine as keyof typeof LIST];
      await server.sql(door, "create database shop");
      await server.sql("shop", "create table stock (id int); insert into stock values (1), (2)");
      const taskId = await api.create("/backup-tasks", {
        label: engine,
        remote_server_id: serverId,
        backup_destination_id,
        type: "database",
        database_type: engine,
        database_name: "shop",
        database_host: server.host,
        database_port: server.port,
        database_username: server.username,
        database_password: server.password,
        frequency: "daily",
        time_to_run_at: "01:00",
        verify_every: 0,
      });
      const made = await api.run(taskId);
      assert.equal(made.status, "successful", made.output);
      const { id } = (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data[0];
      const show = async () => (await api.call("GET", `/backups/${id}`)).body.data;
      const drills = async () =>
        (await api.call("GET", "/backup-task-logs?per_page=100")).body.data.filter(
          (log: { backup_id: number; kind: string }) => log.backup_id === id && log.kind === "drill",
        );
      assert.equal(await queueDueDrills(services), 0);
      const tomorrow = new TestClock(new Date(Date.now() + DAY));
      assert.equal(await queueDueDrills({ ...services, clock: tomorrow }), 1);
      await until(async () => (await drills())[0].finished_at !== null);
      const [log] = await drills();
      assert.equal(log.status, "successful", log.output);
      assert.match(log.output, /Database shop came back as it was: 1 table with 2 rows/);
      const backup = await show();
      assert.ok(backup.proven_at !== null && backup.drill_duration_ms > 0);
      const again = await api.carryOut(`/backups/${id}/drill`);
      assert.equal(again.status, "successful", again.output);
      assert.equal((await server.sql(door, list)).trim(), "shop");
      assert.equal((await server.sql("shop", "select count(*) from stock")).trim(), "2");
    });
  }
  await t.step("no secret was told anywhere", () => secrecy.check());
});
