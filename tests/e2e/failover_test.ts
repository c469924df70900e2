/**
 * Kills the database's primary while control planes, agents and runs are active. The database's standby takes
 * over.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { systemClock } from "../../src/domain/clock.ts";
import { PostgresqlServer } from "../support/servers/postgresql.ts";
import { endOf, stageReplicas } from "../support/servers/replicas.ts";
import { until } from "../support/assertions/until.ts";

Deno.test("a failover costs a pause: runs in progress and one due end well, every line is there once", async () => {
  await using stack = new AsyncDisposableStack();
  const primary = stack.use(await PostgresqlServer.open());
  const standby = stack.use(await PostgresqlServer.open({ standbyOf: primary }));
  await primary.sql("postgres", "create database rearguard");
  const url = `${primary.url("rearguard", [standby])}?target_session_attrs=read-write`;
  const at = await stageReplicas(stack, url, 2);
  const { api, root, talker } = at;
  await Deno.mkdir(`${root}/large`);
  await Deno.writeFile(`${root}/large/noise`, randomBytes(1 << 20));
  await Deno.writeTextFile(`${root}/source/a`, "a");

  const working = await at.task({ source_path: `${root}/large` });
  const talking = await at.task({ remote_server_id: at.talkerServerId });
  const due = await at.task();
  await at.tar.hold(`${root}/large`);
  assert.equal((await api.call("POST", `/backup-tasks/${working}/run`)).status, 202);
  const tar = await at.tar.held();
  assert.equal((await api.call("POST", `/backup-tasks/${talking}/run`)).status, 202);
  await talker.accept();
  const silence = new AbortController();
  const talk = talker.talk(10, silence.signal);
  await until(() => talker.acknowledged > 20);
  const dueAt = new Date(Math.ceil(systemClock.now().getTime() / 1000) * 1000 + 1000);
  await primary.sql(
    "rearguard",
    `update backup_tasks set next_run_at = '${dueAt.toISOString()}' where id = ${due}`,
  );
  await primary.sql("rearguard", `select pg_notify('rearguard', '{"topic": "schedule_changed"}')`);

  await primary.kill();
  await until(() => systemClock.now() > dueAt);
  assert.equal((await api.call("GET", "/backup-tasks")).status, 503);
  const said = talker.acknowledged;
  tar.go();
  await standby.promote();
  await until(() => talker.acknowledged > said + 100);
  silence.abort();
  await talk;
  await talker.finish();

  const log = await endOf(at, talking);
  assert.equal(log.output, talker.said);
  const whole = await endOf(at, working);
  const lines: string[] = whole.output.trimEnd().split("\n");
  assert.equal(new Set(lines).size, lines.length, whole.output);
  assert.match(lines.at(-1)!, /Backup completed successfully/);
  await endOf(at, due);
  const fired = await standby.sql(
    "rearguard",
    `select trigger, scheduled_for = '${dueAt.toISOString()}' from runs where backup_task_id = ${due}`,
  );
  assert.equal(fired, "schedule|t\n");
  // No run was lost, dispatched twice or skipped during the failover.
  const runs = await standby.sql(
    "rearguard",
    "select count(*), max(attempt), count(*) filter (where state = 'succeeded') from runs",
  );
  assert.equal(runs, "3|1|3\n");
  assert.equal(await standby.sql("rearguard", "select count(*) from skipped_schedules"), "0\n");
});
