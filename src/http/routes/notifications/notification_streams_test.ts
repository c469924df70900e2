import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newStream } from "../../../../tests/support/fixtures/notified.ts";
import {
  EVENT_CLASS_NAMES,
  EVENT_CLASSES,
  subscribedClasses,
} from "../../../domain/notifications/event_classes.ts";
import { plant } from "../../../../tests/support/fixtures/planted.ts";
import { Notifier } from "../../../notify/notifier.ts";
import { writeDeliveries } from "../../../services/notifications/alerts.ts";
import { HttpReceiver } from "../../../../tests/support/servers/receivers.ts";

const DEFAULT_SETTINGS = {
  remind_after: null,
  timezone: null,
  quiet_from: null,
  quiet_to: null,
  quiet_days: [],
  quiet_except: [],
  summary: "off",
  summary_time: "08:00",
  summary_weekday: 1,
};
const SECRET = "https://hooks.slack.com/services/T0/B0/s3cret";

Deno.test("a stream's value is sealed and never shown", async () => {
  await using api = await testApi();
  const { call, userId } = await api.user();
  const created = await call("POST", "/api/notification-streams", {
    label: "On call",
    type: "slack_webhook",
    value: SECRET,
    notifications: { on_success: "0" },
  });
  assert.equal(created.status, 201);
  const { id } = created.body.data;
  assert.deepEqual(created.body.data, {
    id,
    user_id: userId,
    label: "On call",
    type: "slack_webhook",
    type_human: "Slack Webhook",
    is_value_set: true,
    is_signing_secret_set: false,
    notifications: { on_success: false, on_failure: true },
    events: subscribedClasses({ on_success: false, on_failure: true, events: {} }),
    ...DEFAULT_SETTINGS,
    last_delivery: null,
    failing_since: null,
    next_attempt_at: null,
    created_at: "2026-01-05T12:00:00Z",
    updated_at: "2026-01-05T12:00:00Z",
  });
  const listed = await call("GET", "/api/notification-streams");
  assert.deepEqual(listed.body.data, [created.body.data]);
  assert.ok(!JSON.stringify(listed.body).includes("s3cret"));
  const [row] = await api.database`select value_encrypted from notification_streams`;
  assert.ok(!row!.value_encrypted.includes("s3cret"));
  assert.equal(api.services.keyring.decrypt(row!.value_encrypted), SECRET);
});

Deno.test("each type has its own rule for the value", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const thirty = "a1".repeat(15);
  const bot = `123456:${"x".repeat(35)}`;
  const cases: [type: string, good: string[], bad: string[]][] = [
    ["email", ["ops@example.com"], ["ops", "a@b", "a b@example.com", "https://example.com"]],
    ["discord_webhook", ["https://discord.com/api/webhooks/1/x"], [
      "http://discord.com/x",
      "discord",
      "https://",
    ]],
    ["teams_webhook", ["https://x.webhook.office.com/webhookb2/1"], ["ftp://x.example"]],
    ["webhook", ["https://example.com:8443/hook?x=1"], [
      "javascript:alert(1)",
      "https:///x",
      "https://exa mple.com",
    ]],
    ["pushover", [`${thirty}/${thirty}`], [thirty, `${thirty}:${thirty}`]],
    ["healthchecks", [
      "https://hc-ping.com/2f1a0c9e-0000-4000-8000-000000000000",
      "https://cronitor.link/p/key/start",
      "https://kuma.example/api/push/token?status=up&msg=OK&ping=",
    ], ["http://hc-ping.com/x", "https://hc-ping.com/x/start", "https://hc-ping.com/x/fail/"]],
    ["ntfy", ["https://ntfy.sh/topic", "https://:tk_1@ntfy.example/topic"], [
      "http://ntfy.sh/topic",
      "https://ntfy.sh",
      "https://ntfy.sh/a.b",
      "https://me:100%@ntfy.sh/topic",
    ]],
    ["telegram", [`${bot}/-100123`, `${bot}/@channel`], [bot, "-100123", `${bot}/`]],
  ];
  for (const [type, good, bad] of cases) {
    for (const [values, status] of [[good, 201], [bad, 422]] as const) {
      for (const value of values) {
        const answer = await call("POST", "/api/notification-streams", { label: "x", type, value });
        assert.equal(answer.status, status, `${type} ${value}`);
        if (status === 422) {
          assert.deepEqual(Object.keys(answer.body.errors), ["value"]);
          assert.ok(!JSON.stringify(answer.body).includes(bot), "the value isn't told back");
        }
      }
    }
  }
  const both = await call("POST", "/api/notification-streams", { type: "email", value: "nobody" });
  assert.deepEqual(Object.keys(both.body.errors).sort(), ["label", "value"]);
  const unknown = await call("POST", "/api/notification-streams", { label: "x", type: "pigeon", value: "y" });
  assert.match(unknown.body.errors.type[0], /^The type field must be one of: email, /);
});

Deno.test("a change keeps absent fields, and the value must match the type", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const { id, ...before } = (await call("POST", "/api/notification-streams", {
    label: "On call",
    type: "slack_webhook",
    value: SECRET,
    notifications: { on_success: false, on_failure: false },
  })).body.data;
  const path = `/api/notification-streams/${id}`;
  const changed = await call("PUT", path, { notifications: { on_failure: true } });
  assert.deepEqual(changed.body.data, {
    ...before,
    id,
    notifications: { on_success: false, on_failure: true },
    events: subscribedClasses({ on_success: false, on_failure: true, events: {} }),
  });
  assert.equal((await call("PUT", path, { type: "webhook" })).body.data.type_human, "Webhook");
  assert.deepEqual((await call("PUT", path, { type: "email" })).body.errors, {
    value: ["The value field must be an email address."],
  });
  assert.equal((await call("PUT", path, { value: "ops@example.com" })).status, 422);
  assert.equal((await call("PUT", path, { type: "email", value: "ops@example.com" })).status, 200);
  assert.deepEqual((await call("DELETE", path)).body, {
    message: "Notification stream successfully deleted",
    deletes_at: "2026-01-08T12:00:00Z",
  });
  assert.equal((await call("PUT", path, { label: "x" })).body.message, "Notification stream not found");
});

Deno.test("a test message is sent at once, its result is returned, and kept until the value changes", async () => {
  await using receiver = new HttpReceiver();
  await using api = await testApi();
  const { call, userId } = await api.user();
  await api.database`update users set timezone = 'Asia/Kathmandu'`;
  const value = `${receiver.url}/s3cret`;
  const id = await newStream(api.services, { userId, taskId: null }, { value });
  const path = `/api/notification-streams/${id}`;
  const last = async () => (await call("GET", path)).body.data.last_delivery;
  assert.equal(await last(), null);
  const passed = await call("POST", `${path}/test`);
  assert.equal(passed.status, 200);
  assert.deepEqual(passed.body.data, { ok: true, message: "The message was taken." });
  assert.deepEqual(await last(), { at: "2026-01-05T12:00:00Z", ok: true, error: null });
  const { body } = receiver.received[0]!;
  assert.deepEqual([body.event, body.title, body.text], [
    "test",
    "This is a test from Rearguard",
    "Sent at: 2026-01-05T17:45:00+05:45",
  ]);
  await api.clock.advance(60_000);
  receiver.answer = () => new Response("s3cret is not known here", { status: 410 });
  const refused = await call("POST", `${path}/test`);
  assert.deepEqual([refused.status, refused.body.data], [200, {
    ok: false,
    message: "Cannot send the message. It answered 410: check the stream's value, it may have been revoked.",
  }]);
  const { at, ok, error } = await last();
  assert.deepEqual([at, ok], ["2026-01-05T12:01:00Z", false]);
  assert.match(error, /^It answered 410: /);
  await call("PUT", path, { label: "Renamed" });
  assert.equal((await last()).ok, false);
  await call("PUT", path, { value: "https://example.com/new" });
  assert.equal(await last(), null);
});

Deno.test("a test of an email stream reports a missing mail server", async () => {
  await using api = await testApi();
  const { call, userId } = await api.user();
  const id = await newStream(api.services, { userId, taskId: null }, {
    type: "email",
    value: "a@example.com",
  });
  assert.deepEqual((await call("POST", `/api/notification-streams/${id}/test`)).body.data, {
    ok: false,
    message: "Cannot send the message. No mail server is set up: the operator sets SMTP_URL and SMTP_FROM.",
  });
});

Deno.test("a test needs the ability to change streams, and a stream of one's own", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const id = await newStream(api.services, { userId: owner.userId, taskId: null });
  const path = `/api/notification-streams/${id}/test`;
  assert.equal((await (await api.user()).call("POST", path)).status, 404);
  const viewer = await api.tokenOf(owner, ["view-notification-streams"]);
  const refused = await viewer.call("POST", path);
  assert.equal(refused.status, 403);
  assert.match(refused.body.message, /update-notification-streams/);
});

Deno.test("waiting deliveries are sent to the new value at once", async () => {
  await using api = await testApi();
  const { call, userId } = await api.user();
  const id = await newStream(api.services, { userId, taskId: null });
  const now = api.clock.now();
  const later = new Date(now.getTime() + 3_600_000);
  await api.database`
    insert into notification_deliveries (notification_stream_id, event_key, event, state, attempts, first_attempt_at,
      due_at, created_at)
    values (${id}, 'run 1', '{}', 'waiting', 9, ${now}, ${later}, ${now})`;
  const waiting = async () => {
    const [row] = await api.database`select due_at, first_attempt_at from notification_deliveries`;
    return { ...row };
  };
  await call("PUT", `/api/notification-streams/${id}`, { label: "Renamed" });
  assert.deepEqual(await waiting(), { due_at: later, first_attempt_at: now });
  await call("PUT", `/api/notification-streams/${id}`, { value: "https://example.com/new" });
  assert.deepEqual(await waiting(), { due_at: now, first_attempt_at: null });
});

Deno.test("addresses of a list, topics and signing secrets are checked, and a secret is never shown", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const create = (fields: Record<string, unknown>) =>
    call("POST", "/api/notification-streams", { label: "x", ...fields });
  const bot = `123456:${"x".repeat(35)}`;
  for (
    const [type, value, problem] of [
      ["email", "a@example.com, b@example.com;c@example.com", null],
      ["email", "a@example.com, b@", /must be email addresses, separated by commas/],
      ["email", "a@example.com,A@example.com", /that differ/],
      ["email", Array.from({ length: 21 }, (_, i) => `a${i}@example.com`).join(","), /at most 20/],
      ["email", " , ", /must be an email address|required/],
      ["telegram", `${bot}/-100123/45`, null],
      ["telegram", `${bot}/-100123/x`, /topic/],
    ] as const
  ) {
    const { body, status } = await create({ type, value });
    assert.equal(status, problem === null ? 201 : 422, value);
    if (problem !== null) assert.match(JSON.stringify(body.errors), problem);
  }
  const hook = { type: "webhook", value: "https://example.com/hook" };
  for (const signing_secret of ["short", "whsec_no base64!", "whsec_dG9vIHNob3J0"]) {
    assert.equal((await create({ ...hook, signing_secret })).status, 422, signing_secret);
  }
  const other = await create({ type: "email", value: "a@example.com", signing_secret: "0123456789abcdef" });
  assert.match(JSON.stringify(other.body.errors), /for streams of the type webhook only/);
  const made = await create({ ...hook, signing_secret: "0123456789abcdef" });
  assert.equal(made.body.data.is_signing_secret_set, true);
  assert.ok(!JSON.stringify(made.body).includes("0123456789abcdef"));
  const path = `/api/notification-streams/${made.body.data.id}`;
  const moved = await call("PUT", path, { type: "email", value: "a@example.com" });
  assert.equal(moved.status, 422);
  const cleared = await call("PUT", path, { signing_secret: null });
  assert.equal(cleared.body.data.is_signing_secret_set, false);
});

Deno.test("a stream chooses classes of events, and shows for each whether it gets them", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const body = { label: "x", type: "email", value: "ops@example.com" };
  const created = await call("POST", "/api/notification-streams", {
    ...body,
    notifications: { on_success: false },
    events: { recovered: "false", warnings: true },
  });
  const { id, events, notifications } = created.body.data;
  assert.deepEqual(Object.keys(events), [...EVENT_CLASS_NAMES]);
  assert.deepEqual(notifications, { on_success: false, on_failure: true });
  assert.deepEqual([events.success, events.warnings, events.failure, events.recovered], [
    false,
    true,
    true,
    false,
  ]);
  const path = `/api/notification-streams/${id}`;
  const changed = await call("PUT", path, { events: { recovered: true } });
  assert.deepEqual(changed.body.data.events, { ...events, recovered: true });
  const same = await call("PUT", path, { events: null, notifications: { on_failure: true } });
  assert.deepEqual(same.body.data.events, { ...events, recovered: true });
  const off = await call("PUT", path, { notifications: { on_failure: false } });
  assert.deepEqual(EVENT_CLASS_NAMES.filter((name) => off.body.data.events[name]), ["warnings"]);
  const misspelt = await call("PUT", path, { events: { faliure: true } });
  assert.deepEqual([misspelt.status, misspelt.body.errors], [422, {
    "events.faliure": ["The field events.faliure is not known. Did you mean events.failure?"],
  }]);
  const wrong = await call("PUT", path, { events: { failure: "maybe" } });
  assert.deepEqual(Object.keys(wrong.body.errors), ["events.failure"]);
});

Deno.test("a change that leaves a task without anybody who is notified of its problems is made, with a warning", async () => {
  await using api = await testApi();
  const { caller: { userId }, taskId } = await plant(api.services, { label: "Home" });
  const { call } = await api.ofOwnWorkspace({ ...api.admin, userId });
  const stream = async (notifications: Record<string, boolean>, type = "email") =>
    (await call("POST", "/api/notification-streams", {
      label: "x",
      type,
      value: type === "email"
        ? "ops@example.com"
        : "https://hc-ping.com/2f1a0c9e-0000-4000-8000-000000000000",
      notifications,
    })).body.data.id as number;
  const failures = await stream({ on_success: false });
  const successes = await stream({ on_failure: false });
  const task = `/api/backup-tasks/${taskId}`;
  const warning = `Nobody is notified of problems of these backup tasks: Home (${taskId}). ` +
    "Give each a notification stream that gets failures.";
  const put = async (path: string, body: unknown) => {
    const answer = await call("PUT", path, body);
    assert.equal(answer.status, 200);
    return answer.body.warnings;
  };
  assert.equal(await put(task, { notification_stream_ids: [failures, successes] }), undefined);
  assert.deepEqual(await put(task, { notification_stream_ids: [successes] }), [warning]);
  assert.deepEqual(await put(task, { notification_stream_ids: [] }), [warning]);
  assert.equal(await put(task, { label: "Home" }), undefined);
  await put(task, { notification_stream_ids: [failures, successes] });
  const path = `/api/notification-streams/${failures}`;
  const alerts = EVENT_CLASS_NAMES.filter((name) => EVENT_CLASSES[name].isAlert);
  const off = Object.fromEntries(alerts.map((name) => [name, false]));
  assert.equal(await put(path, { events: { ...off, late: true } }), undefined);
  assert.deepEqual(await put(path, { events: { late: false }, colour: "red" }), [
    "The field colour was ignored: this operation has no such field.",
    warning,
  ]);
  assert.equal(await put(path, { events: { failure: true } }), undefined);
  assert.deepEqual((await call("DELETE", path)).body, {
    message: "Notification stream successfully deleted",
    deletes_at: "2026-01-08T12:00:00Z",
    warnings: [warning],
  });
  const pings = await stream({ on_success: true, on_failure: true }, "healthchecks");
  assert.equal(await put(task, { notification_stream_ids: [pings] }), undefined);
});

Deno.test("the deliveries of a stream are listed with their state, and those of others are not", async () => {
  await using receiver = new HttpReceiver();
  await using api = await testApi();
  const at = await plant(api.services, { label: "Home" });
  const { call } = await api.ofOwnWorkspace({ ...api.admin, userId: at.caller.userId });
  const id = await newStream(api.services, { userId: at.caller.userId, taskId: at.taskId }, {
    value: receiver.url,
  });
  const path = `/api/notification-streams/${id}/deliveries`;
  assert.deepEqual((await call("GET", path)).body.data, []);
  const notifier = new Notifier({ ...api.services, smtp: null, random: () => 0.5 });
  const tell = async (name: "backup.late" | "agent.gone") => {
    await writeDeliveries(api.services, api.database, {
      name,
      userId: at.caller.userId,
      workspaceId: at.caller.workspaceId,
      taskId: name === "agent.gone" ? null : at.taskId,
      serverId: at.serverId,
      backupId: null,
      run: null,
      reason: "Because.",
      key: name,
    });
    await notifier.deliverDue();
    await api.clock.advance(60_000);
  };
  await tell("backup.late");
  receiver.answer = () => new Response("", { status: 500 });
  await tell("agent.gone");
  const { data, meta } = (await call("GET", path)).body;
  assert.equal(meta.total, 2);
  const [late, gone] = data;
  assert.match(late.message_id, /^[0-9a-f-]{36}$/);
  assert.deepEqual({ ...late, id: 0, message_id: "" }, {
    id: 0,
    message_id: "",
    event: "backup.late",
    task: { id: at.taskId, label: "Home" },
    server: { id: at.serverId, label: "server" },
    backup_task_log_id: null,
    reason: "Because.",
    state: "sent",
    attempts: 1,
    error: null,
    created_at: "2026-01-05T12:00:00Z",
    first_attempt_at: "2026-01-05T12:00:00Z",
    next_attempt_at: null,
    finished_at: "2026-01-05T12:00:00Z",
  });
  assert.deepEqual([gone.event, gone.task, gone.state, gone.error, gone.finished_at], [
    "agent.gone",
    null,
    "waiting",
    "It answered 500.",
    null,
  ]);
  assert.ok(gone.next_attempt_at > "2026-01-05T12:01:00Z");
  const events = async (query: string) =>
    (await call("GET", `${path}?${query}`)).body.data.map(({ event }: { event: string }) => event);
  assert.deepEqual(await events("sort=-id"), ["agent.gone", "backup.late"]);
  assert.deepEqual(await events("state=waiting"), ["agent.gone"]);
  assert.deepEqual(await events("event=backup.late&per_page=1"), ["backup.late"]);
  assert.equal((await call("GET", `${path}?state=lost`)).status, 422);
  const other = await api.user();
  assert.equal((await other.call("GET", path)).status, 404);
});

Deno.test("quiet hours need a begin and another end, known days, classes and time zones", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const body = { label: "x", type: "email", value: "ops@example.com" };
  const quiet = {
    timezone: "Europe/Berlin",
    quiet_from: "22:00",
    quiet_to: "07:00",
    quiet_days: [1, 2, 3, 4, 5],
    quiet_except: ["damaged"],
  };
  const created = (await call("POST", "/api/notification-streams", { ...body, ...quiet })).body.data;
  assert.deepEqual(Object.fromEntries(Object.keys(quiet).map((name) => [name, created[name]])), quiet);
  const path = `/api/notification-streams/${created.id}`;
  const errors = async (changes: Record<string, unknown>) =>
    Object.keys((await call("PUT", path, changes)).body.errors ?? {});
  assert.deepEqual(await errors({ quiet_from: null }), ["quiet_from"]);
  assert.deepEqual(await errors({ quiet_to: "22:00" }), ["quiet_to"]);
  assert.deepEqual(await errors({ quiet_to: "24:00" }), ["quiet_to"]);
  assert.deepEqual(await errors({ quiet_days: [7] }), ["quiet_days.0"]);
  assert.deepEqual(await errors({ quiet_except: ["everything"] }), ["quiet_except.0"]);
  assert.deepEqual(await errors({ timezone: "Mars/Olympus" }), ["timezone"]);
  assert.deepEqual(await errors({ quiet_from: null, quiet_to: null, timezone: null }), []);
  const missing = await call("POST", "/api/notification-streams", { ...body, quiet_to: "07:00" });
  assert.deepEqual(missing.body.errors, {
    quiet_from: ["The quiet from and quiet to fields must be given together, or both be null."],
  });
});
