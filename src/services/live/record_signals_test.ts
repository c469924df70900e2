import assert from "node:assert/strict";
import { type ApiClient, type TestApi, testApi } from "../../../tests/support/clients/api.ts";
import { watchChanges } from "../../../tests/support/assertions/changes.ts";
import { collectSignals } from "../../../tests/support/assertions/signals.ts";
import { event, failure, output, success } from "../../../tests/support/clients/events.ts";
import { loggedIn, newAccount, PASSWORD } from "../../../tests/support/fixtures/accounts.ts";
import { ask, forTokens, idIn, recordsOf, titleOf } from "../../../tests/support/fixtures/endpoints.ts";
import { plant, sayHello } from "../../../tests/support/fixtures/planted.ts";
import { newBackup, newRun, newTask } from "../../../tests/support/fixtures/records.ts";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import type { RecordKind } from "../../store/database/record_kinds.ts";
import { claimAssignments } from "../runs/dispatch.ts";
import { recordEvents } from "../runs/run_events.ts";
import { startRun } from "../runs/runs.ts";
import { disconnectAgent, renewAgentLeases } from "../servers/connections.ts";
import { fireDueTasks } from "../tasks/schedules.ts";

/**
 * For each table, the kind of record that is announced as changed when a row of the table changes. Null if
 * nothing is announced. The rows of a table with null are not shown, or they are shown only as part of other
 * rows that change at the same time.
 *
 * If a table is missing here, the test fails. Then decide whether its changes have to be announced. If so,
 * add triggers to the table, as the migration `record_signals` does.
 */
const KIND_OF: Readonly<Record<string, RecordKind | null>> = {
  runs: "runs",
  run_warnings: "runs",
  backup_tasks: "tasks",
  backup_task_tags: "tasks",
  backup_task_scripts: "tasks",
  backup_task_notification_streams: "tasks",
  task_triggers: "tasks",
  skipped_schedules: "tasks",
  tags: "tasks",
  scripts: "tasks",
  deleted_records: "tasks",
  backups: "backups",
  backup_damages: "backups",
  remote_servers: "servers",
  enrolment_tokens: "servers",
  server_inventories: "servers",
  backup_destinations: "destinations",
  alerts: "alerts",
  notification_streams: "alerts",
  notification_deliveries: "alerts",
  tokens: "access",
  workspace_members: "access",
  workspaces: "access",
  sessions: "access",
  user_passwords: "access",
  passkeys: "access",
  totp_secrets: "access",
  recovery_codes: "access",
  openid_identities: "access",
  users: "access",
  login_settings: "access",
  audit_log: "access",
  recovery_kit_copies: "access",
  agent_requests: null,
  alert_reports: null,
  backup_objects: null,
  endpoint_checks: null,
  idempotency_keys: null,
  key_rotations: null,
  leftovers: null,
  login_challenges: null,
  replicas: null,
  run_attempts: null,
  run_history: null,
  run_history_changes: null,
  run_output: null,
  schema_migrations: null,
  server_connections: null,
  ssh_key: null,
  storage_history: null,
  storage_history_changes: null,
  trash_news: null,
  trash_settings: null,
  update_checks: null,
  uploads: null,
  workspace_run_counts: null,
};

/**
 * Observes the database. `announced` returns the kinds that were announced since it was last called. It
 * asserts that exactly the kinds of the changed rows were announced. Only `access` is allowed in addition,
 * because the audit log records most requests.
 */
async function observe({ services, database }: Pick<TestApi, "services" | "database">) {
  const changes = await watchChanges(database);
  const signals = collectSignals(services);
  return {
    async announced(what: string, workspaceId: number): Promise<string> {
      const tables = new Set((await changes.taken()).map(({ table }) => table));
      const changed = [...tables].map((table) => KIND_OF[table]).filter((kind) => kind !== null);
      const all = await signals.taken();
      const own = all.filter((each) => each.kind === "access" || each.workspace_id === workspaceId);
      assert.equal(own.length, all.length, `${what} is announced to another workspace`);
      const announced = new Set(own.map(({ kind }) => kind));
      if (!changed.includes("access")) announced.delete("access");
      assert.deepEqual([...announced].sort(), [...new Set(changed)].sort(), `${what} changed ${[...tables]}`);
      return [...announced].sort().join(" ");
    },
  };
}

Deno.test("this test knows every table, and each table whose changes are announced has triggers", async () => {
  await using test = await testServices();
  const tables = await test.database<{ name: string; is_announced: boolean }[]>`
    select tablename as name, exists (
      select from pg_trigger where tgrelid = format('%I', tablename)::regclass and tgname = 'signal_change'
    ) as is_announced
    from pg_tables where schemaname = 'public' order by 1`;
  assert.deepEqual(
    Object.fromEntries(tables.map(({ name, is_announced }) => [name, is_announced])),
    Object.fromEntries(Object.entries(KIND_OF).map(([name, kind]) => [name, kind !== null])),
  );
});

Deno.test("whatever a request changes is announced by its kind, and nothing else is", async (t) => {
  await using api = await testApi();
  const owner = await api.user();
  const records = await recordsOf(api, owner);
  const { announced } = await observe(api);
  await announced("the records", owner.workspaceId);
  const order = ["get", "post", "put", "delete"];
  let kinds = "";
  for (const endpoint of forTokens.toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method))) {
    await t.step(titleOf(endpoint), async () => {
      const client = endpoint.access === "admin" ? api.admin : owner;
      const answer = await ask(client, endpoint, idIn(records));
      const found = await announced(titleOf(endpoint), owner.workspaceId);
      if (endpoint.method === "get" || answer.status >= 400) assert.equal(found, "");
      kinds += ` ${found}`;
    });
  }
  const seen = new Set(kinds.trim().split(/ +/));
  assert.deepEqual([...seen].sort(), [
    "access",
    "alerts",
    "backups",
    "destinations",
    "runs",
    "servers",
    "tasks",
  ]);
});

/** Requests that the test above can't make, because they need other records or bodies. */
const REQUESTS: readonly [string, RecordKind, (api: TestApi, owner: ApiClient) => Promise<unknown>][] = [
  ["a task's tags", "tasks", async (_, owner) => {
    const id = await newTask(owner);
    const tag = (await owner.call("POST", "/api/tags", { label: "mine" })).body.data.id;
    return () => owner.call("PUT", `/api/backup-tasks/${id}`, { tag_ids: [tag] });
  }],
  ["a task's streams", "tasks", async (_, owner) => {
    const id = await newTask(owner);
    const value = { label: "s", type: "email", value: "jo@example.test" };
    const body = { ...value, notifications: { on_success: true, on_failure: true } };
    const stream = (await owner.call("POST", "/api/notification-streams", body)).body.data.id;
    return () => owner.call("PUT", `/api/backup-tasks/${id}`, { notification_stream_ids: [stream] });
  }],
  ["a deleted backup", "backups", async (api, owner) => {
    const id = await newBackup(api.database, await newTask(owner), api.clock.now());
    return () => owner.call("DELETE", `/api/backups/${id}`);
  }],
  ["a deleted server", "servers", async (_, owner) => {
    const body = { label: "web", ip_address: "192.0.2.77" };
    const { id } = (await owner.call("POST", "/api/remote-servers", body)).body.data;
    return () => owner.call("DELETE", `/api/remote-servers/${id}`);
  }],
  ["a deleted log", "runs", async (api, owner) => {
    const id = await newRun(api.database, await newTask(owner), api.clock.now(), { state: "failed" });
    return () => owner.call("DELETE", `/api/backup-task-logs/${id}`);
  }],
  ["a new member", "access", async (api, owner) => {
    const { email } = await newAccount(api);
    const path = `/api/workspaces/${owner.workspaceId}/members`;
    return () => owner.call("POST", path, { email, role: "viewer" });
  }],
  ["a log-in", "access", async (api) => {
    const account = await newAccount(api);
    return () => loggedIn(api, account);
  }],
  ["a new password", "access", async (api) => {
    const browser = await loggedIn(api, await newAccount(api));
    const body = { current_password: PASSWORD, password: "seven quiet lanterns" };
    return () => browser.call("PUT", "/api/user/password", body);
  }],
  ["a second factor that is set up", "access", async (api) => {
    const browser = await loggedIn(api, await newAccount(api));
    return () => browser.call("POST", "/api/user/totp");
  }],
];

Deno.test("changes of records that belong to others are announced too", async (t) => {
  await using api = await testApi();
  const owner = await api.user();
  const { announced } = await observe(api);
  for (const [title, kind, prepare] of REQUESTS) {
    await t.step(title, async () => {
      const act = await prepare(api, owner) as () => Promise<{ status?: number }>;
      await announced("the preparation", owner.workspaceId);
      const { status = 200 } = await act();
      assert.ok(status < 300, `${status}`);
      assert.equal(await announced(title, owner.workspaceId), kind);
    });
  }
});

Deno.test("what agents and loops change is announced, but no renewed lease, no output and no use of a token", async () => {
  await using test = await testServices();
  const { services, clock, database } = test;
  const { caller, serverId, taskId } = await plant(services);
  const signals = collectSignals(services);
  const after = async (act: () => Promise<unknown>) => {
    await act();
    const all = await signals.taken();
    assert.ok(all.every(({ workspace_id }) => workspace_id === caller.workspaceId));
    return [...new Set(all.map(({ kind }) => kind))].sort().join(" ");
  };
  await signals.taken();
  const { connection } = await sayHello(services, serverId);
  assert.equal(await after(() => Promise.resolve()), "access servers");
  assert.equal(await after(() => startRun(services, caller, taskId)), "runs");
  const run = (await claimAssignments(services, [serverId]))[0]!;
  assert.equal(await after(() => Promise.resolve()), "runs");
  let sequence = 0;
  const report = (body: Parameters<typeof event>[3]) =>
    after(() => recordEvents(services, [event(serverId, run, ++sequence, body)]));
  assert.equal(await report({ kind: "accepted" }), "runs");
  assert.equal(await report(output("a line\n")), "");
  const progress = { kind: "progress" as const, files_count: 1, bytes_per_second: 1, eta_seconds: null };
  assert.equal(await report({ ...progress, bytes_read: 10, bytes_written: 5 }), "runs");
  assert.equal(await report({ ...progress, bytes_read: 10, bytes_written: 5 }), "");
  assert.equal(await report({ kind: "output", text: "", warnings: ["unreadable"] }), "runs");
  await clock.advance(20_000);
  assert.equal(await after(() => renewAgentLeases(services, [connection])), "");
  assert.equal(await report(success()), "backups runs tasks");
  await clock.advance(24 * 3_600_000);
  await database`update backup_tasks set next_run_at = ${clock.now()} where id = ${taskId}`;
  await signals.taken();
  assert.equal(await after(() => fireDueTasks(services)), "runs tasks");
  const [again] = await claimAssignments(services, [serverId]);
  await signals.taken();
  const failed = [{ kind: "accepted" as const }, failure("The disk is full")];
  const events = failed.map((body, index) => event(serverId, again!, index + 1, body));
  assert.match(await after(() => recordEvents(services, events)), /^alerts runs/);
  assert.equal(await after(() => disconnectAgent(services, connection)), "servers");
});
