import assert from "node:assert/strict";
import { testServices } from "../../tests/support/fixtures/database.ts";
import { until } from "../../tests/support/assertions/until.ts";
import type { LogLines } from "../services/runs/log_stream.ts";
import { liveStream } from "./live_stream.ts";

Deno.test("lines are read no faster than the client reads, and changes reach a slow client between them", async () => {
  await using test = await testServices();
  const { live } = test.services;
  let taken = 0;
  let isLeft = false;
  async function* endless(): AsyncGenerator<LogLines> {
    try {
      for (;;) {
        const lines = [{ sequence: ++taken, text: "x", stream: "output" as const }];
        yield { lines, sequence: taken, isFinished: false };
      }
    } finally {
      isLeft = true;
    }
  }
  let ends = 0;
  const caller = { userId: 1, workspaceId: 1001 };
  const response = liveStream({ live, caller, lines: endless(), ended: () => ends++ });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => (await reader.read()).value!;
  assert.match(await next(), /event: refresh/);
  for (let n = 1; n <= 20; n++) assert.match(await next(), new RegExp(`^id: ${n}\n`));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(taken <= 26, `${taken} batches were taken for 20 that were read`);
  for (const kind of ["runs", "tasks", "runs"] as const) {
    const signal = JSON.stringify({ topic: "records_changed", kind, workspace_id: 1001 });
    await test.database`select pg_notify('rearguard', ${signal})`;
  }
  let changes = "";
  await until(async () => {
    const text = await next();
    if (!text.startsWith("id:")) changes += text;
    return changes.includes("event: tasks");
  });
  // The second change of runs waits for the next second of the test's clock.
  assert.deepEqual(changes.match(/event: \w+/g), ["event: runs", "event: tasks"]);
  await reader.cancel();
  await until(() => isLeft);
  assert.equal(ends, 1);
});
