import assert from "node:assert/strict";
import { systemClock } from "../../../src/domain/clock.ts";
import { tail } from "./tail.ts";

async function withFile(work: (path: string, file: Deno.FsFile) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  const file = await Deno.open(path, { append: true });
  try {
    await work(path, file);
  } finally {
    file.close();
    await Deno.remove(path);
  }
}

Deno.test("every byte is delivered once, in order, including the last", () =>
  withFile(async (path, file) => {
    const ended = Promise.withResolvers<void>();
    const seen: number[] = [];
    const following = tail(path, ended.promise, systemClock, (chunk) => {
      seen.push(...chunk);
      return Promise.resolve();
    }, () => assert.fail());
    for (let i = 0; i < 50; i++) {
      await file.write(new Uint8Array([i]));
      if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 30));
    }
    ended.resolve();
    await following;
    assert.deepEqual(seen, Array.from({ length: 50 }, (_, i) => i));
  }));

Deno.test("a failure ends the program and is thrown once the program has ended", () =>
  withFile(async (path, file) => {
    const ended = Promise.withResolvers<void>();
    let reported = false;
    await file.write(new Uint8Array(10));
    const following = tail(
      path,
      ended.promise,
      systemClock,
      () => Promise.reject(new Error("the digest broke")),
      () => {
        reported = true;
        ended.resolve();
      },
    );
    await assert.rejects(following, /the digest broke/);
    assert.ok(reported);
  }));
