import assert from "node:assert/strict";
import { testApi } from "../../../tests/support/clients/api.ts";
import { watchAdministratorAccess, watchExpiringTokens } from "./access_watch.ts";

const DAY = 86_400_000;

Deno.test("administrators are warned before their last token expires by itself, once a day until one lasts", async () => {
  await using api = await testApi();
  const { admin, clock, database, services } = api;
  const stream = { label: "On call", type: "email", value: "jo@example.test" };
  assert.equal((await admin.call("POST", "/api/notification-streams", stream)).status, 201);
  const reasons = async () => {
    for (let i = 0; i < 2; i++) await watchAdministratorAccess(services);
    const rows = await database<{ reason: string }[]>`
      delete from notification_deliveries returning event ->> 'reason' as reason`;
    return rows.map(({ reason }) => reason);
  };
  assert.deepEqual(await reasons(), []);
  const end = new Date(clock.now().getTime() + 8 * DAY);
  await database`update tokens set expires_at = ${end}`;
  assert.deepEqual(await reasons(), []);
  await clock.advance(2 * DAY);
  const warning = "No token with the admin ability is valid after 2026-01-13T12:00:00Z.";
  assert.deepEqual(await reasons(), [warning]);
  await clock.advance(DAY);
  assert.deepEqual(await reasons(), [warning]);
  await clock.advance(6 * DAY);
  assert.deepEqual(await reasons(), ["No token with the admin ability is valid any more."]);
  await database`update tokens set expires_at = null`;
  assert.deepEqual(await reasons(), []);
  const open = await database`select from alerts where closed_at is null`;
  assert.equal(open.length, 0);
});

Deno.test("a workspace is notified once a week and once a day before a token of it expires", async () => {
  await using api = await testApi();
  const { clock, database, services } = api;
  const { call, userId } = await api.user();
  const stream = { label: "On call", type: "email", value: "jo@example.test" };
  await call("POST", "/api/notification-streams", stream);
  const [{ id }] = await database<[{ id: number }]>`select id from tokens where user_id = ${userId}`;
  const expire = (days: number) =>
    database`update tokens set expires_at = ${new Date(clock.now().getTime() + days * DAY)} where id = ${id}`;
  const reasons = async () => {
    for (let i = 0; i < 2; i++) await watchExpiringTokens(services);
    const rows = await database<{ reason: string }[]>`
      update notification_deliveries set state = 'sent', finished_at = ${clock.now()} where state = 'waiting'
      returning event->>'reason' as reason`;
    return rows.map(({ reason }) => reason.replace(/ of .*@example.test /, " "));
  };
  await expire(20);
  assert.deepEqual(await reasons(), []);
  await clock.advance(13 * DAY);
  const warning = `The token test (${id}) expires at 2026-01-25T12:00:00Z.`;
  assert.deepEqual(await reasons(), [warning]);
  await clock.advance(5.5 * DAY);
  assert.deepEqual(await reasons(), []);
  await clock.advance(DAY);
  assert.deepEqual(await reasons(), [warning]);
  await clock.advance(DAY);
  assert.deepEqual(await reasons(), []);
  // A changed expiry is reported, even if the previous expiry was reported already. But no expiry is reported
  // for a token that was created for only half a day.
  await expire(1);
  assert.equal((await reasons()).length, 1);
  await expire(0.5);
  await database`update tokens set created_at = ${clock.now()} where id = ${id}`;
  assert.deepEqual(await reasons(), []);
  await database`update tokens set created_at = '2026-01-01', revoked_at = now() where id = ${id}`;
  assert.deepEqual(await reasons(), []);
});
