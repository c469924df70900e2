import assert from "node:assert/strict";
import { install } from "@sinonjs/fake-timers";
import { systemClock } from "./clock.ts";

const DAY = 24 * 3_600_000;

Deno.test("a sleep of months lasts for months and can be aborted", async () => {
  const timers = install({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    let woken = 0;
    const sleeping = systemClock.sleep(90 * DAY).then(() => woken++);
    const over = new AbortController();
    const broken = assert.rejects(systemClock.sleep(90 * DAY, over.signal), /enough/);
    await timers.tickAsync(90 * DAY - 1);
    assert.equal(woken, 0);
    over.abort(new Error("enough"));
    await broken;
    await timers.tickAsync(1);
    await sleeping;
    assert.equal(timers.countTimers(), 0);
  } finally {
    timers.uninstall();
  }
});
