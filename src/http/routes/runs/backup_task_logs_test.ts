import assert from "node:assert/strict";
import { type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import {
  newBackup,
  newDestination,
  newOutput,
  newRun,
  newServer,
  newTask,
} from "../../../../tests/support/fixtures/records.ts";
import { insertWarnings, readWarnings } from "../../../store/runs/run_warnings.ts";
import { compactOutput } from "../../../store/runs/run_output.ts";

Deno.test("logs have the API's states, with their kind and progress", async () => {
  await using api = await testApi();
  const client = await api.user();
  const task = await newTask(client);
  const now = api.clock.now();
  const shown: [string, string][] = [
    ["succeeded", "successful"],
    ["failed", "failed"],
    ["lost", "failed"],
    ["cancelled", "cancelled"],
  ];
  for (const [state] of shown) await newRun(api.database, task, now, { state });
  for (const state of ["queued", "leased", "running", "cancelling"]) {
    const id = await newRun(api.database, task, now, {
      state,
      bytes_read: 10,
      eta_seconds: 5,
      bytes_per_second: 2,
    });
    const log = (await client.call("GET", `/api/backup-task-logs/${id}`)).body.data;
    assert.equal(log.status, state === "queued" || state === "leased" ? "queued" : "running");
    assert.deepEqual(log.progress, {
      bytes_read: 10,
      bytes_written: 0,
      files_count: null,
      bytes_per_second: 2,
      eta_seconds: 5,
      phase: null,
    });
    await api.database`delete from runs where id = ${id}`;
  }
  const { data, meta } = (await client.call("GET", "/api/backup-task-logs")).body;
  assert.equal(meta.total, 4);
  assert.deepEqual(data.map((log: { status: string }) => log.status), shown.map(([, status]) => status));
});

Deno.test("a log names its task, server, destination and the backup that its run stored", async () => {
  await using api = await testApi();
  const client = await api.user();
  const remote_server_id = await newServer(client, { label: "web-1" });
  const backup_destination_id = await newDestination(client, { label: "Offsite" });
  const task = await newTask(client, { label: "Nightly", remote_server_id, backup_destination_id });
  const now = api.clock.now();
  const id = await newRun(api.database, task, now);
  const path = `/api/backup-task-logs/${id}`;
  const names = async () => {
    const { data } = (await client.call("GET", path)).body;
    const [listed] = (await client.call("GET", "/api/backup-task-logs")).body.data;
    assert.deepEqual(listed, data);
    return [data.backup_task, data.remote_server, data.backup_destination, data.stored_backup_id];
  };
  const backup = await newBackup(api.database, task, now, { run_id: id });
  const server = { id: remote_server_id, label: "web-1" };
  const destination = { id: backup_destination_id, label: "Offsite" };
  assert.deepEqual(await names(), [{ id: task, label: "Nightly" }, server, destination, backup]);
  await api.database`delete from backups`;
  await api.database`delete from backup_tasks`;
  assert.deepEqual(await names(), [null, server, destination, null]);
});

Deno.test("a listing contains the last 4 KB of output, a log all of it, compacted or not", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newRun(api.database, await newTask(client), api.clock.now());
  const lines = Array.from({ length: 300 }, (_, index) => `line ${index} ü😀\n`);
  for (const [index, line] of lines.entries()) await newOutput(api.database, id, index + 1, line);
  const all = lines.join("");
  const read = async () => [
    (await client.call("GET", `/api/backup-task-logs/${id}`)).body.data.output,
    (await client.call("GET", "/api/backup-task-logs")).body.data[0].output,
  ];
  const tail = [...all].slice(-4096).join("");
  assert.deepEqual(await read(), [all, tail]);
  await compactOutput(api.database, id);
  assert.deepEqual(await read(), [all, tail]);
  const outputs = async (path: string) => (await client.call("GET", path)).body.data;
  assert.equal((await outputs(`/api/backup-task-logs/${id}?output=none`)).output, "");
  assert.equal((await outputs(`/api/backup-task-logs/${id}?output=tail`)).output, tail);
  assert.equal((await outputs("/api/backup-task-logs?output=none"))[0].output, "");
});

Deno.test("all warnings of a run are downloaded, of an older agent's run those in its output", async () => {
  await using api = await testApi();
  const client = await api.user();
  const task = await newTask(client);
  const at = api.clock.now();
  const download = async (id: number, query = "") => {
    const response = await api.app.request(`/api/backup-task-logs/${id}/warnings${query}`, {
      headers: { Authorization: `Bearer ${client.token}` },
    });
    return [response.status, response.headers.get("Content-Type"), await response.text()];
  };
  const text = "text/plain; charset=utf-8";
  const id = await newRun(api.database, task, at, { warnings_count: 4 });
  await newOutput(api.database, id, 1, "2026-01-05T12:00:00.000Z Warning: a\n[cut]\n");
  await insertWarnings(api.database, [
    { run_id: id, sequence: 3, warnings: ["c"] },
    { run_id: id, sequence: 1, warnings: ["a", "b\\n"] },
    { run_id: id, sequence: 3, warnings: ["again"] },
  ]);
  assert.deepEqual(await download(id), [200, text, "a\nb\\n\nc\n[1 more warnings are not kept]\n"]);
  const lines = ['{"message":"a"}', '{"message":"b\\\\n"}', '{"message":"c"}', '{"left_out":1}', ""];
  assert.deepEqual(await download(id, "?format=jsonl"), [200, "application/x-ndjson", lines.join("\n")]);
  const older = await newRun(api.database, task, at, { warnings_count: 3 });
  await newOutput(
    api.database,
    older,
    1,
    "2026-01-05T12:00:00.000Z Warning: x: y\n2026-01-05T12:00:00.000Z not one\n2026-01-05T12:00:00Z Warning: z\n",
  );
  assert.deepEqual(await download(older), [200, text, "x: y\nz\n[1 more warnings are not kept]\n"]);
  assert.deepEqual(await download(await newRun(api.database, task, at)), [200, text, ""]);
  assert.equal((await download(id, "?format=xml"))[0], 422);
  const other = await api.user();
  assert.equal((await other.call("GET", `/api/backup-task-logs/${id}/warnings`)).status, 404);
});

Deno.test("warnings beyond the limit are counted and not kept", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newRun(api.database, await newTask(client), api.clock.now());
  const many = Array.from({ length: 1024 }, () => "w".repeat(1024));
  for (let sequence = 1; sequence <= 5; sequence++) {
    await insertWarnings(api.database, [{ run_id: id, sequence, warnings: many }]);
  }
  assert.equal((await readWarnings(api.database, id)).length, 4096);
});

Deno.test("a log is deleted once its run is over, and the backup stays", async () => {
  await using api = await testApi();
  const client = await api.user();
  const task = await newTask(client);
  const id = await newRun(api.database, task, api.clock.now(), { state: "running" });
  const remove = () => client.call("DELETE", `/api/backup-task-logs/${id}`);
  assert.equal((await remove()).status, 409);
  await api.database`update runs set state = 'succeeded', finished_at = created_at, deadline_at = null`;
  const backup = await newBackup(api.database, task, api.clock.now(), { run_id: id });
  assert.deepEqual((await remove()).body, { message: "Backup task log successfully deleted" });
  assert.equal((await client.call("GET", `/api/backups/${backup}`)).body.data.backup_task_log_id, null);
});

Deno.test("a log whose partial objects still have to be removed is kept", async () => {
  await using api = await testApi();
  const client = await api.user();
  const now = api.clock.now();
  const id = await newRun(api.database, await newTask(client), now, { state: "failed" });
  const [run] = await api.database`select backup_destination_id from runs where id = ${id}`;
  await api.database`
    insert into leftovers (run_id, backup_destination_id, directory, name, next_removal_at, created_at)
    values (${id}, ${run!.backup_destination_id}, '/b', 'x.part', ${now}, ${now})`;
  const refused = await client.call("DELETE", `/api/backup-task-logs/${id}`);
  assert.equal(refused.status, 409);
  assert.match(refused.body.message, /still being removed/);
});

interface Received {
  id: string;
  event: string;
  // deno-lint-ignore no-explicit-any
  data: any;
}

/** Opens the stream of a task's latest log, and reads it event by event. */
async function stream(api: TestApi, token: string, taskId: number, lastEventId?: string) {
  const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
  if (lastEventId !== undefined) headers["Last-Event-ID"] = lastEventId;
  const response = await api.app.request(`/api/backup-tasks/${taskId}/latest-log/stream`, { headers });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    response,
    /** Returns the next event; null at the end of the stream. */
    async next(): Promise<Received | null> {
      while (true) {
        const end = text.indexOf("\n\n");
        if (end !== -1) {
          const block = text.slice(0, end);
          text = text.slice(end + 2);
          const field = (name: string) =>
            block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
          if (field("event") === undefined) continue;
          return { id: field("id")!, event: field("event")!, data: JSON.parse(field("data")!) };
        }
        const { done, value } = await reader!.read();
        if (done) return null;
        text += value;
      }
    },
    close: () => reader?.cancel(),
  };
}

async function finish(api: TestApi, id: number, state: string): Promise<void> {
  await api.database.begin(async (sql) => {
    await sql`update runs set state = ${state}, finished_at = ${api.clock.now()}, deadline_at = null where id = ${id}`;
    await sql`select pg_notify('rearguard', ${JSON.stringify({ topic: "run_changed", run_id: id })})`;
  });
}

Deno.test("the stream sends lines as they are stored, then the end, and closes", async () => {
  await using api = await testApi();
  const client = await api.user();
  const task = await newTask(client);
  const id = await newRun(api.database, task, api.clock.now(), { state: "running" });
  await newOutput(api.database, id, 2, "first\n");
  const { response, next } = await stream(api, client.token, task);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  assert.deepEqual(await next(), { id: `${id}-2`, event: "output", data: { sequence: 2, text: "first\n" } });
  const state = await next();
  assert.deepEqual([state?.event, state?.data.status], ["state", "running"]);
  // The test clock does not advance, so polling cannot deliver the line: only Postgres's notification can.
  await newOutput(api.database, id, 5, "second\nthird\n");
  assert.deepEqual(await next(), {
    id: `${id}-5`,
    event: "output",
    data: { sequence: 5, text: "second\nthird\n" },
  });
  await finish(api, id, "succeeded");
  const end = await next();
  assert.deepEqual([end?.event, end?.data.status, end?.data.reason], ["finished", "successful", null]);
  assert.equal(await next(), null);
});

Deno.test("a line without its notification is sent by the slow poll", async () => {
  await using api = await testApi();
  const client = await api.user();
  const task = await newTask(client);
  const id = await newRun(api.database, task, api.clock.now(), { state: "running" });
  const { next, close } = await stream(api, client.token, task);
  assert.equal((await next())?.event, "state");
  await api.database`insert into run_output (run_id, sequence, text) values (${id}, 1, 'quiet')`;
  const line = next();
  while (api.clock.sleeping === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await api.clock.advance(2000);
  assert.equal((await line)?.data.text, "quiet");
  await close();
});

Deno.test("the stream resumes after the last event seen, compacted or not, without a line lost or repeated", async () => {
  await using api = await testApi();
  const client = await api.user();
  const task = await newTask(client);
  const id = await newRun(api.database, task, api.clock.now(), { state: "failed" });
  const lines = Array.from({ length: 40 }, (_, index) => `😀 ${index}\n`);
  for (const [index, line] of lines.entries()) await newOutput(api.database, id, 3 * (index + 1), line);
  const from = async (lastEventId: string) => {
    const { next } = await stream(api, client.token, task, lastEventId);
    let text = "";
    for (let event = await next(); event !== null; event = await next()) text += event.data.text ?? "";
    return text;
  };
  for (const compact of [false, true]) {
    if (compact) await compactOutput(api.database, id);
    assert.equal(await from(`${id}-60`), lines.slice(20).join(""));
    assert.equal(await from("61"), lines.slice(20).join(""));
    assert.equal(await from(`${id - 1}-60`), lines.join(""), "another run's id");
    assert.equal(await from("nonsense"), lines.join(""));
    assert.equal(await from(`${id}-120`), "");
  }
  const done = await stream(api, client.token, task, `${id}-end`);
  assert.equal(done.response.status, 204);
});

Deno.test("comments are sent while there are no events", async () => {
  await using api = await testApi();
  const client = await api.user();
  const task = await newTask(client);
  await newRun(api.database, task, api.clock.now(), { state: "running" });
  const headers = { Authorization: `Bearer ${client.token}` };
  const response = await api.app.request(`/api/backup-tasks/${task}/latest-log/stream`, { headers });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, "retry: 2000\n\n");
  assert.match((await reader.read()).value!, /event: state/);
  const silence = reader.read();
  while (api.clock.sleeping < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  await api.clock.advance(15_000);
  assert.match((await silence).value!, /^: /);
  await reader.cancel();
  // The control plane no longer waits on behalf of a client that is gone.
  while (api.clock.sleeping > 0) await new Promise((resolve) => setTimeout(resolve, 1));
});

Deno.test("a task without a run has no stream", async () => {
  await using api = await testApi();
  const client = await api.user();
  const answer = await client.call("GET", `/api/backup-tasks/${await newTask(client)}/latest-log/stream`);
  assert.deepEqual([answer.status, answer.body.message], [404, "Backup task log not found"]);
});

Deno.test("a token follows a limited number of streams at once", async () => {
  await using api = await testApi({ streamLimit: 2 });
  const task = await newTask(api.admin);
  const run = await newRun(api.database, task, api.clock.now(), { state: "running", attempt: 1 });
  const over = await newRun(api.database, await newTask(api.admin), api.clock.now());
  const follow = async (id: number, token = api.admin.token) =>
    await api.app.request(`/api/backup-task-logs/${id}/stream`, {
      headers: { Authorization: `Bearer ${token}` },
    });
  const statusOf = async (response: Promise<Response>) => {
    const { status, body } = await response;
    await body?.cancel();
    return status;
  };
  const held = [await follow(run), await follow(run)];
  assert.deepEqual(held.map(({ status }) => status), [200, 200]);
  const refused = await follow(run);
  assert.equal(refused.status, 429);
  assert.match((await refused.json()).message, /^Too many open streams/);
  // Another token has its own limit of open streams.
  const { token } = await api.tokenOf(api.admin, ["view-backup-tasks"]);
  assert.equal(await statusOf(follow(run, token)), 200);
  // A stream that has ended does not count towards the limit. A stream that its client has cancelled does not
  // count either, even if the client has read nothing.
  for (const each of held) await each.body!.cancel();
  for (let i = 0; i < 5; i++) assert.equal(await statusOf(follow(run)), 200);
  for (let i = 0; i < 5; i++) assert.match(await (await follow(over)).text(), /event: finished/);
});
