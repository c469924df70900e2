import assert from "node:assert/strict";
import { findingsOfSuspicion } from "./finding.ts";
import { GUARD_NAMES, guardOf } from "./registry.ts";

Deno.test("the line of an older backup is taken apart into the findings of its guards", () => {
  const rise = "Possible ransomware: the data compresses much worse; 97 % of it";
  const shrunk = "It shrank to less than half of the last 3 backups' median: 1 files (median 3)";
  const found = (suspicion: string | null) =>
    findingsOfSuspicion(suspicion).map(({ name, message }) => [name, message]);
  assert.deepEqual(found(null), []);
  assert.deepEqual(found(rise), [["incompressible", rise]]);
  assert.deepEqual(found(shrunk), [["shrink", shrunk]]);
  assert.deepEqual(found(`${rise}; ${shrunk}`), [["incompressible", rise], ["shrink", shrunk]]);
});

Deno.test("every guard has its words: a summary, advice, and a title and next step if it notifies", () => {
  const words = { task: "Home", server: "web", clear: "DELETE /api/backups/1/suspicion" };
  for (const name of GUARD_NAMES) {
    const { summary, advice, notification, severity } = guardOf(name)!;
    for (const text of [summary, advice.warn, advice.fail]) assert.match(text, /^[A-Z].*\.$/, name);
    assert.equal(notification !== null, severity === "critical", name);
    if (notification === null) continue;
    assert.match(notification.event, /^backup\.[a-z_]+$/);
    assert.match(notification.title(words), /^[A-Z].*Home.*[^.]$/);
    assert.match(notification.next(words), /^[A-Z].*\.$/);
  }
});
