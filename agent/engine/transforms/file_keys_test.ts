import assert from "node:assert/strict";
import { systemClock } from "../../../src/domain/clock.ts";
import { testAlone } from "../../../tests/support/alone.ts";
import { until } from "../../../tests/support/assertions/until.ts";
import { type Child, Children, type Command, type SpawnOptions } from "../programs/children.ts";
import { FileKeys } from "./file_keys.ts";

class CountedChildren extends Children {
  readonly started: Child[] = [];

  constructor() {
    super(systemClock, new AbortController().signal);
  }

  override spawn(command: Command, options: SpawnOptions): Child {
    const child = super.spawn(command, options);
    this.started.push(child);
    return child;
  }
}

const PASSWORD = { type: "password", password: "correct horse" } as const;

testAlone(
  import.meta.url,
  "the next file's key is created while a file is written, one at a time and no more than expected",
  async () => {
    await using children = new CountedChildren();
    const keys = new FileKeys(PASSWORD, children);
    keys.expect(2);
    await until(() => children.started.length === 1);
    const first = keys.take();
    let derived = false;
    children.started[0]!.exited.then(() => derived = true);
    // The second key is created before the first one is taken.
    await until(() => children.started.length === 2);
    assert.ok(derived);
    const made = [await first, await keys.take()];
    assert.equal(children.started.length, 2);
    made.push(await keys.take());
    assert.equal(children.started.length, 3);
    const headers = made.map(({ header }) => new TextDecoder().decode(header));
    assert.equal(new Set(headers).size, 3);
    assert.equal(new Set(made.map(({ fileKey }) => fileKey.toHex())).size, 3);
    for (const header of headers) assert.match(header, /^age-encryption.org\/v1\n-> scrypt \S{22} 18\n/);
  },
);

Deno.test("the end of a run ends the creation of a key, and taking that key rejects with the reason", async () => {
  const children = new CountedChildren();
  const keys = new FileKeys(PASSWORD, children);
  keys.expect(2);
  await until(() => children.started.length === 1);
  await children.terminate();
  await assert.rejects(keys.take(), /Cannot derive the encryption key .*: SIGTERM/);
});
