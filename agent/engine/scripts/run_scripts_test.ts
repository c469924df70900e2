import assert from "node:assert/strict";
import { systemClock } from "../../../src/domain/clock.ts";
import { RunScripts } from "./run_scripts.ts";

Deno.test("scripts whose files are gone are reported, and the run gets its verdict", async () => {
  const lines: string[] = [];
  const output = { line: (text: string) => lines.push(text), warning: (text: string) => lines.push(text) };
  const done = () => Promise.resolve();
  const script = {
    id: 1,
    label: "thaw",
    type: "postscript" as const,
    sha256: "0".repeat(64),
    interpreter: ["/bin/sh"],
    timeout_ms: 1000,
    user: null,
  };
  const plan = {
    invocation: "id",
    directory: "/nonexistent/scripts",
    task_id: 1,
    variables: {},
    secrets: [],
    scripts: [{ ...script, on_failure: "fail" as const }],
  };
  const scripts = new RunScripts(plan, {
    clock: systemClock,
    output: { ...output, warningsCount: 0 },
    signal: new AbortController().signal,
    journal: { planned: done, decided: done, ended: done },
    secrets: [],
    enterPhase() {},
  });
  const verdict = await scripts.after({
    outcome: "failed",
    warnings_count: 0,
    reason: "Why.",
    leftovers: [],
  });
  assert.equal(verdict.outcome, "failed");
  assert.match(lines.at(-1)!, /^Postscript 1 \(thaw\) failed: the agent was restarted while it ran/);
});
