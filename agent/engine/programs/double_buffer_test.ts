import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { systemClock } from "../../../src/domain/clock.ts";
import { testAlone } from "../../../tests/support/alone.ts";
import { Children } from "./children.ts";
import { readDoubleBuffered } from "./double_buffer.ts";

const MB = 1024 * 1024;

function spawn(children: Children, script: string, ...args: string[]) {
  const command = { program: "sh", args: ["-c", script, "sh", ...args] };
  return children.spawn(command, { stdout: "piped", onMessage: () => {} });
}

Deno.test("every byte is delivered once, in order, in chunks that are processed one at a time", async () => {
  const path = await Deno.makeTempFile();
  const content = randomBytes(5 * MB + 12345);
  await Deno.writeFile(path, content);
  await using children = new Children(systemClock, new AbortController().signal);
  const hash = createHash("sha256");
  const sizes: number[] = [];
  let busy = false;
  await readDoubleBuffered(spawn(children, 'cat "$1"', path).stdout!, async (chunk) => {
    assert.equal(busy, false);
    busy = true;
    await new Promise((resolve) => setTimeout(resolve, 1));
    hash.update(chunk);
    sizes.push(chunk.length);
    busy = false;
  }, () => {});
  await Deno.remove(path);
  assert.deepEqual(sizes, [MB, MB, MB, MB, MB, 12345]);
  assert.equal(hash.digest("hex"), createHash("sha256").update(content).digest("hex"));
});

testAlone(import.meta.url, "memory does not grow with the stream", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  let total = 0;
  let highest = 0;
  const before = Deno.memoryUsage().rss;
  await readDoubleBuffered(spawn(children, "head -c 1000000000 /dev/zero").stdout!, (chunk) => {
    total += chunk.length;
    highest = Math.max(highest, Deno.memoryUsage().rss);
    return Promise.resolve();
  }, () => {});
  assert.equal(total, 1_000_000_000);
  assert.ok(highest - before < 32 * MB, `grew by ${highest - before} bytes`);
});

Deno.test("a failure is reported at once, while the program still runs, and thrown at the end", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  const child = spawn(children, "head -c 2000000 /dev/zero; exec sleep 100");
  let taken = 0;
  await assert.rejects(
    readDoubleBuffered(child.stdout!, () => {
      taken++;
      return Promise.reject(new Error("full"));
    }, () => void children.terminate()),
    { message: "full" },
  );
  assert.equal(taken, 1);
  assert.equal((await child.exited).signal, "SIGTERM");
});
