import assert from "node:assert/strict";
import { processorTime } from "./processor_time.ts";

Deno.test({
  name: "a process has used its own time and that of its ended children",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const before = (await processorTime("self"))!;
    const loop = "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done";
    const { success } = await new Deno.Command("sh", { args: ["-c", loop], stdin: "null" }).output();
    assert.ok(success);
    const after = (await processorTime(Deno.pid))!;
    assert.ok(after > before, `${before}, then ${after}`);
    assert.equal(await processorTime(2 ** 22 + 1), null);
  },
});
