/**
 * Tests several control planes that share one database. Each control plane sees the changes of the others,
 * and any of them can be killed.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { systemClock } from "../../src/domain/clock.ts";
import type { ApiCaller } from "../support/clients/client.ts";
import { emptyDatabase } from "../support/fixtures/database.ts";
import { endOf, stageReplicas } from "../support/servers/replicas.ts";
import { until } from "../support/assertions/until.ts";

/** Follows the output of a task's newest run to its end, and returns the output. */
async function follow(api: ApiCaller, taskId: number): Promise<string> {
  let text = "";
  for await (const { event, data } of api.stream(taskId)) {
    if (event === "output") text += JSON.parse(data).text;
    if (event === "finished") break;
  }
  return text;
}

Deno.test("output is followed, files are listed and backups are downloaded through every control plane", async () => {
  await using stack = new AsyncDisposableStack();
  const db = stack.use(await emptyDatabase());
  const at = await stageReplicas(stack, db.url, 3);
  const { each, talker, root } = at;
  const talking = await at.task({ remote_server_id: at.talkerServerId });
  assert.equal((await at.api.call("POST", `/backup-tasks/${talking}/run`)).status, 202);
  await talker.accept();
  const followed = Promise.all(each.map((api) => follow(api, talking)));
  for (let line = 0; line < 50; line++) talker.say();
  await until(() => talker.acknowledged > 50);
  for (let line = 0; line < 50; line++) talker.say();
  await talker.finish();
  assert.deepEqual(await followed, each.map(() => talker.said));

  await Deno.writeFile(`${root}/source/noise`, randomBytes(3 << 20));
  const taskId = await at.task();
  await at.api.run(taskId);
  const [backup] = (await at.api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data;
  for (const api of each) {
    const files = await api.call("GET", `/backups/${backup.id}/files`);
    assert.deepEqual(files.body.data.map(({ path }: { path: string }) => path), ["noise"]);
    const response = await fetch(`${api.url}/api/backups/${backup.id}/download`, {
      headers: { authorization: `Bearer ${api.token}` },
    });
    assert.equal(response.status, 200);
    const hash = createHash("sha256").update(await response.bytes()).digest("hex");
    assert.equal(hash, backup.sha256);
  }
});

Deno.test("each control plane knows itself among the others, which are safe to stop", async () => {
  await using stack = new AsyncDisposableStack();
  const db = stack.use(await emptyDatabase());
  const { each } = await stageReplicas(stack, db.url, 2);
  const names = [];
  for (const api of each) {
    const { replicas, loops, problem } = (await api.call("GET", "/installation")).body.data;
    const own = replicas.filter(({ is_this }: { is_this: boolean }) => is_this);
    assert.equal(own.length, 1);
    assert.equal(own[0].name, `${Deno.hostname()}:${new URL(api.url).port}`);
    names.push(own[0].name);
    assert.deepEqual(replicas.map((one: Record<string, unknown>) => one.is_safe_to_stop), [true, true]);
    assert.deepEqual([replicas[0].agents_count + replicas[1].agents_count, problem], [2, null]);
    assert.ok(loops.some(({ name }: { name: string }) => name === "scheduler"));
  }
  assert.equal(new Set(names).size, 2);
});

Deno.test("any control plane is killed while runs go on and one is due: the agents go to another, nothing is lost", async () => {
  await using stack = new AsyncDisposableStack();
  const db = stack.use(await emptyDatabase());
  const at = await stageReplicas(stack, db.url, 2);
  const { api, talker, root } = at;
  await Deno.writeFile(`${root}/source/noise`, randomBytes(1 << 20));
  const working = await at.task();
  const talking = await at.task({ remote_server_id: at.talkerServerId });
  const due = await at.task();
  await at.tar.hold(`${root}/source`);
  assert.equal((await api.call("POST", `/backup-tasks/${working}/run`)).status, 202);
  const tar = await at.tar.held();
  assert.equal((await api.call("POST", `/backup-tasks/${talking}/run`)).status, 202);
  await talker.accept();
  const silence = new AbortController();
  const talk = talker.talk(10, silence.signal);
  const dueTimes: Date[] = [];
  // Kills each control plane once, because it is unknown to which one the agents are connected.
  for (const which of [0, 1]) {
    const dueAt = new Date(Math.ceil(systemClock.now().getTime() / 1000) * 1000 + 1000);
    dueTimes.push(dueAt);
    await db.database`update backup_tasks set next_run_at = ${dueAt} where id = ${due}`;
    await db.database`select pg_notify('rearguard', '{"topic": "schedule_changed"}')`;
    await at.kill(which);
    const heard = talker.acknowledged;
    await until(() => talker.acknowledged > heard + 100);
    await until(() => systemClock.now() > dueAt);
    await until(async () => {
      const [task] = await db.database`select next_run_at from backup_tasks where id = ${due}`;
      return task!.next_run_at > dueAt;
    });
    await at.restart(which);
  }
  silence.abort();
  await talk;
  await talker.finish();
  tar.go();
  assert.equal((await endOf(at, talking)).output, talker.said);
  await endOf(at, working);
  await endOf(at, due);
  const fired = await db.database`select scheduled_for from runs where backup_task_id = ${due}`;
  const skipped = await db.database`select due_at from skipped_schedules where backup_task_id = ${due}`;
  assert.deepEqual(fired.map((run) => run.scheduled_for), dueTimes.slice(0, 1));
  assert.deepEqual(skipped.map((one) => one.due_at), dueTimes.slice(1));
  const runs = await db.database`select state, attempt from runs order by id`;
  assert.deepEqual(runs.map(({ state, attempt }) => [state, attempt]), Array(3).fill(["succeeded", 1]));
});
