/** Tests that the transitions of runs keep the promises to users, whatever the order of the events is. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { runs } from "../../tests/support/fuzz.ts";
import {
  deadlineOf,
  DEFAULT_RUN_TIMES,
  hasEnded,
  RUN_STATES,
  type RunState,
  type RunTransitionEvent,
  shownState,
  transition,
} from "./run.ts";

const EVENTS: readonly RunTransitionEvent[] = [
  { type: "offered" },
  { type: "accepted" },
  { type: "heard" },
  { type: "cancel_requested" },
  { type: "finished", outcome: "succeeded" },
  { type: "finished", outcome: "failed" },
  { type: "finished", outcome: "cancelled" },
  { type: "deadline_passed" },
];

/**
 * Checks what users are promised about a run. Compares each transition with the earlier transitions of the
 * run, not with a table of states.
 */
class Promises {
  #isOver = false;
  #isLost = false;
  #wantsCancel = false;
  #wasOffered = false;

  /** Checks a transition against the earlier ones, and records it. */
  take(before: RunState, event: RunTransitionEvent, after: RunState): void {
    const isVerdict = event.type === "finished";
    if (this.#isOver) {
      // A run that is over does not change. The only exception is a run that is lost: it changes if its agent
      // reports a verdict after all.
      const mayChange = this.#isLost && isVerdict;
      if (!mayChange) assert.equal(after, before);
      else assert.equal(after, event.outcome);
    }
    if (event.type === "offered" && after === "leased") this.#wasOffered = true;
    if (event.type === "accepted" && after === "running" && before !== "running") this.#wasOffered = true;
    // A run succeeds only by the verdict of an agent to which it was dispatched.
    if (after === "succeeded" && before !== "succeeded") {
      assert.ok(isVerdict && event.outcome === "succeeded" && this.#wasOffered);
    }
    // A run becomes lost only if it was dispatched and its agent was then silent until the deadline.
    if (after === "lost" && before !== "lost") {
      assert.ok(event.type === "deadline_passed" && this.#wasOffered);
    }
    // After a request to cancel, the run is cancelling or has ended.
    if (event.type === "cancel_requested" && after !== before) this.#wantsCancel = true;
    if (this.#wantsCancel) assert.ok(after === "cancelling" || hasEnded(after));
    if (after === "cancelled" && before !== "cancelled") {
      assert.ok(this.#wantsCancel || (isVerdict && event.outcome === "cancelled"));
    }
    if (hasEnded(after)) this.#isOver = true;
    this.#isLost = after === "lost";
  }
}

Deno.test("any order of events keeps the promises, and silence then ends the run", () => {
  const now = fc.integer({ min: 0, max: 4_000_000_000_000 });
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 60 }), now, (events, time) => {
      const promises = new Promises();
      let state: RunState = "queued";
      const step = (event: RunTransitionEvent) => {
        const next = transition(state, event);
        const after: RunState = next.ok ? next.state : state;
        promises.take(state, event, after);
        state = after;
      };
      events.forEach(step);
      for (let silences = 0; !hasEnded(state); silences++) {
        assert.ok(silences < 3, `a ${state} run goes round in circles`);
        const start = new Date(time + DEFAULT_RUN_TIMES.start);
        const deadline = deadlineOf(state, new Date(time), start, DEFAULT_RUN_TIMES);
        assert.ok(deadline !== null && deadline.getTime() > time);
        step({ type: "deadline_passed" });
      }
      assert.equal(deadlineOf(state, new Date(time), new Date(time), DEFAULT_RUN_TIMES), null);
    }),
    runs(2000, 1_000_000),
  );
});

Deno.test("each state is reachable, and either final or ended by its deadline, and has an API name", () => {
  const reached = new Set<RunState>(["queued"]);
  for (const state of reached) {
    for (const event of EVENTS) {
      const next = transition(state, event);
      if (next.ok) reached.add(next.state);
    }
  }
  assert.deepEqual([...reached].sort(), [...RUN_STATES].sort());
  for (const state of RUN_STATES) {
    const out = transition(state, { type: "deadline_passed" });
    assert.equal(out.ok, !hasEnded(state));
    if (out.ok) assert.notEqual(out.state, state);
    assert.equal(deadlineOf(state, new Date(0), new Date(1), DEFAULT_RUN_TIMES) === null, hasEnded(state));
    assert.ok(["queued", "running", "successful", "failed", "cancelled"].includes(shownState(state)));
  }
});
