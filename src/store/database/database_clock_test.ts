import assert from "node:assert/strict";
import { TestClock } from "../../../tests/support/fixtures/clock.ts";
import { testDatabase } from "../../../tests/support/fixtures/database.ts";
import { until } from "../../../tests/support/assertions/until.ts";
import { DatabaseClock } from "./database_clock.ts";

const INTERVAL = 1_000;

/**
 * Simulates a database whose clock is `ahead` milliseconds ahead of the machine's clock. Before each reading
 * of the database's clock, waits for `wait`.
 */
async function follow({ ahead = 0, wait = () => Promise.resolve() } = {}) {
  const machine = new TestClock("2026-01-05T12:00:00Z");
  const started = machine.now().getTime();
  const database = {
    ahead,
    wait,
    readings: 0,
    time: () => started + machine.monotonic() + database.ahead,
  };
  const clock = await DatabaseClock.following(async () => {
    await database.wait();
    database.readings++;
    return database.time();
  }, machine);
  const next = async () => {
    await until(() => machine.sleeping === 1);
    const { readings } = database;
    await machine.advance(INTERVAL);
    await until(() => database.readings > readings && machine.sleeping === 1);
  };
  return { clock, database, machine, next, [Symbol.dispose]: () => clock[Symbol.dispose]() };
}

Deno.test("a control plane uses the clock of its database, not of its machine", async () => {
  await using test = await testDatabase();
  const machine = new TestClock("2031-01-05T12:00:00Z");
  using clock = await DatabaseClock.follow(test.database, machine);
  const [row] = await test.database<{ at: Date }[]>`select clock_timestamp() as at`;
  const apart = Math.abs(row!.at.getTime() - clock.now().getTime());
  assert.ok(apart < 30_000, `${apart} ms apart`);
});

Deno.test("setting a machine's clock does not change the control plane's time", async () => {
  using test = await follow();
  await test.machine.set("2026-01-04T12:00:00Z");
  assert.equal(test.clock.now().getTime(), test.database.time());
  await test.next();
  assert.equal(test.clock.now().toISOString(), "2026-01-05T12:00:01.000Z");
});

Deno.test("a change of the database's clock is followed at the next reading", async () => {
  using test = await follow({ ahead: 90_000 });
  assert.equal(test.clock.now().toISOString(), "2026-01-05T12:01:30.000Z");
  test.database.ahead = -3_600_000;
  await test.next();
  assert.equal(test.clock.now().toISOString(), "2026-01-05T11:00:01.000Z");
});

Deno.test("a slow response of the database does not change the time", async () => {
  using test = await follow();
  let answer = () => {};
  test.database.wait = () => new Promise((resolve) => answer = resolve);
  await until(() => test.machine.sleeping === 1);
  await test.machine.advance(INTERVAL);
  await test.machine.advance(20_000);
  answer();
  await until(() => test.machine.sleeping === 1);
  assert.equal(test.clock.now().getTime(), test.database.time());
});

Deno.test("time continues while the database is unreachable", async () => {
  using test = await follow();
  test.database.wait = () => Promise.reject(new Error("away"));
  await until(() => test.machine.sleeping === 1);
  await test.machine.advance(INTERVAL);
  await until(() => test.machine.sleeping === 1);
  assert.equal(test.clock.now().toISOString(), "2026-01-05T12:00:01.000Z");
});
