import assert from "node:assert/strict";
import fc from "fast-check";
import {
  deadlineOf,
  DEFAULT_RUN_TIMES,
  hasEnded,
  objectPrefix,
  objectStamp,
  outcomeOfRun,
  RUN_STATES,
  type RunState,
  type RunTransitionEvent,
  shownState,
  transition,
} from "./run.ts";

const EVENTS: RunTransitionEvent[] = [
  { type: "offered" },
  { type: "accepted" },
  { type: "heard" },
  { type: "cancel_requested" },
  { type: "finished", outcome: "succeeded" },
  { type: "finished", outcome: "failed" },
  { type: "finished", outcome: "cancelled" },
  { type: "deadline_passed" },
];

Deno.test("every state and event is either an allowed transition or refused", () => {
  const moves: Record<string, string> = {};
  for (const state of RUN_STATES) {
    for (const event of EVENTS) {
      const next = transition(state, event);
      const name = `${state} + ${event.type}${event.type === "finished" ? ` ${event.outcome}` : ""}`;
      if (next.ok) moves[name] = next.state;
      else assert.match(next.reason, /^A \w+ run can't take /);
    }
  }
  const finished = (state: string) => ({
    [`${state} + finished succeeded`]: "succeeded",
    [`${state} + finished failed`]: "failed",
    [`${state} + finished cancelled`]: "cancelled",
  });
  assert.deepEqual(moves, {
    "queued + offered": "leased",
    "queued + accepted": "running",
    "queued + cancel_requested": "cancelled",
    "queued + deadline_passed": "failed",
    "leased + accepted": "running",
    "leased + cancel_requested": "cancelling",
    ...finished("leased"),
    "leased + deadline_passed": "queued",
    "running + heard": "running",
    "running + cancel_requested": "cancelling",
    ...finished("running"),
    "running + deadline_passed": "lost",
    "cancelling + accepted": "cancelling",
    "cancelling + heard": "cancelling",
    ...finished("cancelling"),
    "cancelling + deadline_passed": "cancelled",
    ...finished("lost"),
  });
});

Deno.test("silence ends every run, whatever was heard before", () => {
  fc.assert(fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 }), (events) => {
    let state: RunState = "queued";
    for (const event of events) {
      const next = transition(state, event);
      if (next.ok) state = next.state;
      const deadline = deadlineOf(state, new Date(0), new Date(5), DEFAULT_RUN_TIMES);
      assert.equal(deadline === null, hasEnded(state));
    }
    // A leased run that stays silent returns to the queue once. In the queue, its start deadline ends it.
    for (let i = 0; i < 3 && !hasEnded(state); i++) {
      const next = transition(state, { type: "deadline_passed" });
      assert.ok(next.ok);
      state = next.state;
    }
    assert.ok(hasEnded(state));
  }));
});

Deno.test("the API shows states under the contract's names", () => {
  assert.deepEqual(Object.fromEntries(RUN_STATES.map((state) => [state, shownState(state)])), {
    queued: "queued",
    leased: "queued",
    running: "running",
    cancelling: "running",
    succeeded: "successful",
    failed: "failed",
    cancelled: "cancelled",
    lost: "failed",
  });
});

Deno.test("object names consist of the task, the time and the appended name", () => {
  assert.equal(objectStamp(new Date("2024-08-07T01:02:03.999Z")), "20240807010203");
  assert.equal(objectStamp(new Date("2024-08-07T01:02:03Z"), "20240807010202"), "20240807010203");
  assert.equal(objectStamp(new Date("2024-08-07T01:02:03Z"), "20240807010203"), "20240807010204");
  assert.equal(objectStamp(new Date("2024-08-07T01:02:03Z"), "20241231235959"), "20250101000000");
  assert.equal(objectPrefix(7, null), "backup_7");
  assert.equal(objectPrefix(7, "daily_backup"), "daily_backup_backup_7");
});

const at = (minute: number) => new Date(Date.UTC(2026, 0, 5, 12, minute));
const facts = { warnings_count: 0, timeout_at: null, finished_at: at(5) };

Deno.test("a run has an outcome once it has ended, unless a person cancelled it", () => {
  assert.deepEqual(RUN_STATES.map((state) => [state, outcomeOfRun({ ...facts, state })]), [
    ["queued", null],
    ["leased", null],
    ["running", null],
    ["cancelling", null],
    ["succeeded", "succeeded"],
    ["failed", "failed"],
    ["cancelled", null],
    ["lost", "failed"],
  ]);
  assert.equal(outcomeOfRun({ ...facts, state: "succeeded", warnings_count: 1 }), "warnings");
  assert.equal(outcomeOfRun({ ...facts, state: "failed", warnings_count: 1 }), "failed");
});

Deno.test("a run that its timeout cancelled has failed, one that a person cancelled earlier has not", () => {
  const cancelled = { ...facts, state: "cancelled" as const };
  assert.equal(outcomeOfRun({ ...cancelled, timeout_at: at(5) }), "failed");
  assert.equal(outcomeOfRun({ ...cancelled, timeout_at: at(6) }), null);
});
