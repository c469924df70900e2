import assert from "node:assert/strict";
import { testApi } from "../../../tests/support/clients/api.ts";
import { watchAdministratorAccess } from "./access_watch.ts";

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
