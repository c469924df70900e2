import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newBackup, newDestination, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";
import { deleteExpiredRows } from "../../../services/installation/housekeeping.ts";

const DAY = 24 * 3_600_000;

Deno.test("a destination shows what is stored there, how fast it grows, when it is full and what it costs", async () => {
  await using api = await testApi();
  const { clock, database, services } = api;
  const client = await api.user();
  const destination = await newDestination(client, { price_per_gb_month: "0.005", currency: " eur " });
  const server = await newServer(client);
  const fields = { backup_destination_id: destination, remote_server_id: server };
  const [small, large] = [
    await newTask(client, { ...fields, label: "Small" }),
    await newTask(client, fields),
  ];
  await newDestination(client, { label: "empty" });
  const show = async () => (await client.call("GET", `/api/backup-destinations/${destination}`)).body.data;
  const first = await show();
  assert.deepEqual([first.price_per_gb_month, first.currency], [0.005, "EUR"]);
  assert.deepEqual([first.usage.growth_bytes_per_day, first.usage.cost_per_month], [null, 0]);

  await newBackup(database, large, clock.now(), { size: 100e9 });
  await clock.advance(60 * DAY);
  for (let day = 0; day < 30; day++) {
    await newBackup(database, large, new Date(clock.now().getTime() - day * DAY), { size: 2e9 });
  }
  const doomed = await newBackup(database, large, new Date(clock.now().getTime() - DAY), { size: 5e9 });
  await newBackup(database, small, clock.now(), { size: 3e9 });
  await database`update backups set removal_requested_at = ${clock.now()}, removal_reason = 'request',
    removal_begun_at = ${clock.now()} where id = ${doomed}`;
  await database`delete from backups where id = ${doomed}`;
  await database`
    update backup_destinations set space_free_bytes = ${21e9}, space_total_bytes = ${500e9}, space_measured_at = ${clock.now()}
    where id = ${destination}`;
  const usage = {
    stored_bytes: 163e9,
    backups_count: 32,
    growth_bytes_per_day: 2.1e9,
    days_until_full: 10,
    cost_per_month: 0.815,
  };
  assert.deepEqual((await show()).usage, usage);
  await deleteExpiredRows(services);
  assert.deepEqual((await show()).usage, usage);
  const [listed, empty] = (await client.call("GET", "/api/backup-destinations")).body.data;
  assert.deepEqual(listed.usage, usage);
  assert.deepEqual([empty.usage.stored_bytes, empty.usage.growth_bytes_per_day], [0, null]);
  assert.deepEqual((await client.call("GET", `/api/backup-destinations/${destination}/usage`)).body.data, {
    ...usage,
    tasks: [
      { backup_task_id: large, label: "Home", stored_bytes: 160e9, backups_count: 31 },
      { backup_task_id: small, label: "Small", stored_bytes: 3e9, backups_count: 1 },
    ],
  });
  // A second server stores its backups on its own disk. The free space of this disk is not known.
  const other = await newTask(client, { backup_destination_id: destination });
  await newBackup(database, other, clock.now(), { size: 0 });
  assert.equal((await show()).usage.days_until_full, null);
});

Deno.test("the growth of a new destination is of its own age, and a wrong price is refused", async () => {
  await using api = await testApi();
  const { clock, database } = api;
  const client = await api.user();
  const destination = await newDestination(client);
  const task = await newTask(client, { backup_destination_id: destination });
  await newBackup(database, task, clock.now(), { size: 4000 });
  await clock.advance(2 * DAY);
  const { usage } = (await client.call("GET", `/api/backup-destinations/${destination}`)).body.data;
  assert.deepEqual([usage.growth_bytes_per_day, usage.cost_per_month, usage.days_until_full], [
    2000,
    null,
    null,
  ]);
  for (
    const [field, value] of [
      ["price_per_gb_month", "cheap"],
      ["price_per_gb_month", -1],
      ["currency", "Euro"],
      ["currency", "€"],
    ] as const
  ) {
    const answer = await client.call("PUT", `/api/backup-destinations/${destination}`, { [field]: value });
    assert.deepEqual([answer.status, Object.keys(answer.body.errors)], [422, [field]]);
  }
  const cleared = await client.call("PUT", `/api/backup-destinations/${destination}`, {
    price_per_gb_month: "",
  });
  assert.equal(cleared.body.data.price_per_gb_month, null);
});
