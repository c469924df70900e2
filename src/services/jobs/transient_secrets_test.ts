import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { until } from "../../../tests/support/assertions/until.ts";
import type { ServiceContext } from "../context.ts";
import { TransientSecrets } from "./transient_secrets.ts";

const SECRET = "AGE-SECRET-KEY-1TEST";
const HOUR = 3_600_000;

function inAnHour({ clock }: ServiceContext): Date {
  return new Date(clock.now().getTime() + HOUR);
}

async function stateOf(secrets: TransientSecrets, services: ServiceContext) {
  return (await secrets.get(services.database, "run 7")).state;
}

Deno.test("a secret reaches every replica encrypted, and is dropped once its run has it", async () => {
  await using test = await testServices();
  const { services } = test;
  const other = new TransientSecrets(services);
  const heard: string[] = [];
  services.bus.subscribe((notification) => heard.push(JSON.stringify(notification)));
  await services.transientSecrets.publish(services.database, "run 7", SECRET, inAnHour(services));
  await until(async () => await stateOf(other, services) === "held");
  assert.deepEqual(await other.get(services.database, "run 7"), { state: "held", secret: SECRET });
  assert.match(heard.join("\n"), /secret_passed/);
  assert.doesNotMatch(heard.join("\n"), /AGE-SECRET/);
  const { database } = services;
  const changed = (state: string) =>
    database`select pg_notify('rearguard', ${JSON.stringify({ topic: "run_changed", run_id: 7, state })})`;
  await changed("leased");
  await changed("queued");
  await changed("running");
  await until(() => heard.some((text) => text.includes("running")));
  assert.notEqual(await stateOf(other, services), "held");
  other.close();
});

Deno.test("a secret that is published again while its run gets it is not held", async () => {
  await using test = await testServices();
  const { services } = test;
  const heard: string[] = [];
  services.bus.subscribe((notification) => heard.push(JSON.stringify(notification)));
  const { database } = services;
  await services.transientSecrets.publish(database, "run 7", SECRET, inAnHour(services));
  await until(async () => await stateOf(services.transientSecrets, services) === "held");
  await database`select pg_notify('rearguard', ${
    JSON.stringify({ topic: "run_changed", run_id: 7, state: "running" })
  })`;
  await services.transientSecrets.publish(database, "run 7", SECRET, inAnHour(services));
  await database`select pg_notify('rearguard', '{"topic":"run_changed","run_id":8}')`;
  await until(() => heard.some((text) => text.includes('"run_id":8')));
  assert.notEqual(await stateOf(services.transientSecrets, services), "held");
});

Deno.test("a secret is published again for a new replica; one that no replica has is gone", async () => {
  await using test = await testServices();
  const { services, clock } = test;
  const heard: string[] = [];
  services.bus.subscribe(({ topic }) => heard.push(topic));
  await services.transientSecrets.publish(services.database, "run 7", SECRET, inAnHour(services));
  // Waits for this notification before `get` is called. Otherwise `get` would have the secret published a
  // second time, at an unknown moment.
  await until(() => heard.includes("secret_passed"));
  assert.equal(await stateOf(services.transientSecrets, services), "held");
  const late = new TransientSecrets(services);
  assert.equal(await stateOf(late, services), "requested");
  await until(async () => await stateOf(late, services) === "held");
  await clock.advance(HOUR);
  assert.equal(await stateOf(late, services), "requested");
  await clock.advance(4_999);
  assert.equal(await stateOf(late, services), "requested");
  await clock.advance(1);
  assert.equal(await stateOf(late, services), "gone");
  late.close();
});
