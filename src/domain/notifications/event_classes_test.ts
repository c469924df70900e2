import assert from "node:assert/strict";
import {
  changeSubscription,
  EVENT_CLASS_NAMES,
  EVENT_CLASSES,
  isSubscribed,
  subscribedClasses,
  type Subscription,
} from "./event_classes.ts";

const FAILURES: Subscription = { on_success: false, on_failure: true, events: {} };
const classesOf = (group: string) => EVENT_CLASS_NAMES.filter((name) => EVENT_CLASSES[name].group === group);
const subscribed = (subscription: Subscription) =>
  EVENT_CLASS_NAMES.filter((name) => isSubscribed(subscription, name));

Deno.test("every event but a success belongs to one class", () => {
  const events = EVENT_CLASS_NAMES.flatMap((name) => [...EVENT_CLASSES[name].events] as string[]);
  const twice = events.filter((event, index) => events.indexOf(event) !== index);
  assert.deepEqual(twice, ["backup.succeeded"]);
});

Deno.test("a stream without choices gets the default classes of the groups whose flags it has", () => {
  const on = (group: string) => classesOf(group).filter((name) => EVENT_CLASSES[name].isDefault);
  assert.deepEqual(subscribed(FAILURES).toSorted(), [...on("on_failure"), ...on("either")].toSorted());
  assert.deepEqual(subscribed({ ...FAILURES, on_failure: false }), []);
});

Deno.test("a chosen class differs from its flag until the flag changes", () => {
  const muted = changeSubscription(FAILURES, { events: { late: false, warnings: true, failure: true } });
  assert.deepEqual(muted, { ...FAILURES, events: { late: false, warnings: true } });
  assert.deepEqual(changeSubscription(muted, { on_success: false, on_failure: true }), muted);
  const off = changeSubscription(muted, { on_failure: false });
  assert.deepEqual(subscribed(off), ["warnings"]);
  assert.deepEqual(changeSubscription(off, { on_failure: true }).events, { warnings: true });
  const both = changeSubscription(muted, { on_failure: false, events: { damaged: true } });
  assert.deepEqual(subscribed(both), ["warnings", "damaged"]);
});

Deno.test("what a stream shows can be sent back without a change", () => {
  const chosen = changeSubscription(FAILURES, { events: { anomaly: false, success: true } });
  const { on_failure, on_success } = chosen;
  assert.deepEqual(
    changeSubscription(chosen, { on_failure, on_success, events: subscribedClasses(chosen) }),
    chosen,
  );
});

Deno.test("a flag whose classes are all off is false", () => {
  const events = Object.fromEntries(classesOf("on_failure").map((name) => [name, false]));
  const silent = changeSubscription(FAILURES, { events });
  assert.deepEqual([silent.on_failure, subscribed(silent).includes("failure")], [false, false]);
});
