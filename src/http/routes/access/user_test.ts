import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";

Deno.test("the account shows the numbers of its records", async () => {
  await using api = await testApi();
  const { call, userId } = await api.user();
  await call("POST", "/api/tags", { label: "a" });
  const now = api.clock.now();
  const yesterday = new Date("2026-01-04T23:59:59Z");
  const [server] = await api.database`
    insert into remote_servers (user_id, label, ip_address, created_at, updated_at)
    values (${userId}, 's', '192.0.2.1', ${now}, ${now}) returning id`;
  const [destination] = await api.database`
    insert into backup_destinations (user_id, label, type, created_at, updated_at)
    values (${userId}, 'd', 'local', ${now}, ${now}) returning id`;
  for (const paused of [null, now]) {
    await api.database`
      insert into backup_tasks (user_id, remote_server_id, backup_destination_id, label, type, source_settings,
        custom_cron_expression, timezone, paused_at, created_at, updated_at)
      values (${userId}, ${server!.id}, ${
      destination!.id
    }, 't', 'files', '{"source_path": "/srv"}', '0 0 * * *', 'UTC', ${paused},
        ${now}, ${now})`;
  }
  for (const at of [now, yesterday]) {
    await api.database`
      insert into runs (user_id, kind, trigger, state, created_at, finished_at)
      values (${userId}, 'backup', 'manual', 'succeeded', ${at}, ${at})`;
  }
  const { body } = await call("GET", "/api/user");
  assert.deepEqual(body.data, {
    id: userId,
    personal_info: {
      name: "Jo Doe",
      first_name: "Jo",
      last_name: "Doe",
      email: body.data.personal_info.email,
      avatar_url: null,
    },
    account_settings: { timezone: "UTC", language: "en", is_admin: false, weekly_summary_enabled: false },
    timestamps: { account_created: "2026-01-05T12:00:00Z" },
    workspace: { id: body.data.workspace.id, name: "Jo Doe", role: "manager" },
    backup_tasks: { total: 2, active: 1, logs: { total: 2, today: 1 } },
    related_entities: { remote_servers: 1, backup_destinations: 1, tags: 1, notification_streams: 0 },
  });

  const moved = await call("PUT", "/api/user", { timezone: "America/New_York" });
  assert.equal(moved.body.data.backup_tasks.logs.today, 1);
  await call("PUT", "/api/user", { timezone: "Pacific/Honolulu" });
  await api.clock.set("2026-01-05T09:00:00Z");
  const { logs } = (await call("GET", "/api/user")).body.data.backup_tasks;
  assert.equal(logs.today, 2, "there it is still the day before");
});

Deno.test("the account says whether a stream of the user's own workspace gets a weekly summary", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const other = await api.user();
  const isEnabled = async (by = call) =>
    (await by("GET", "/api/user")).body.data.account_settings.weekly_summary_enabled;
  const stream = {
    label: "Team",
    type: "slack_webhook",
    value: "https://hooks.slack.com/services/T0/B0/abc",
    summary: "daily",
  };
  const { status, body } = await call("POST", "/api/notification-streams", stream);
  assert.equal(status, 201, JSON.stringify(body));
  assert.equal(await isEnabled(), false);
  const path = `/api/notification-streams/${body.data.id}`;
  assert.equal((await call("PUT", path, { summary: "weekly" })).status, 200);
  assert.deepEqual([await isEnabled(), await isEnabled(other.call)], [true, false]);

  const ignored = await call("PUT", "/api/user", { weekly_summary_enabled: false });
  assert.equal(ignored.status, 200);
  assert.match(JSON.stringify(ignored.body.warnings), /weekly_summary_enabled/);
  assert.equal(ignored.body.data.account_settings.weekly_summary_enabled, true);
  assert.equal((await call("DELETE", path)).status, 200);
  assert.equal(await isEnabled(), false);
});

Deno.test("name, time zone and language can be changed, and nothing else", async () => {
  await using api = await testApi();
  const { call } = await api.user([]);
  const changed = await call("PUT", "/api/user", {
    name: "Ada King Noel",
    timezone: "Europe/Copenhagen",
    language: "pt-BR",
    is_admin: true,
    email: "other@example.test",
  });
  assert.equal(changed.status, 200);
  const { personal_info, account_settings } = changed.body.data;
  assert.deepEqual([personal_info.first_name, personal_info.last_name], ["Ada", "King Noel"]);
  assert.notEqual(personal_info.email, "other@example.test");
  assert.deepEqual(account_settings, {
    timezone: "Europe/Copenhagen",
    language: "pt-BR",
    is_admin: false,
    weekly_summary_enabled: false,
  });

  const refused = await call("PUT", "/api/user", { name: " ", timezone: "Mars/Base", language: "english!" });
  assert.equal(refused.status, 422);
  assert.deepEqual(Object.keys(refused.body.errors).sort(), ["language", "name", "timezone"]);
  assert.equal((await call("PUT", "/api/user", { timezone: "+02:00" })).status, 422);
});
