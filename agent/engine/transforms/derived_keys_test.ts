import assert from "node:assert/strict";
import { systemClock } from "../../../src/domain/clock.ts";
import { Children } from "../programs/children.ts";
import { DerivedKeys } from "./derived_keys.ts";

const salt = (number: number) => new Uint8Array([number >> 8, number & 255]);

Deno.test("a key is derived once, and a kept one not at all", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  const derived: string[] = [];
  const keys = new DerivedKeys((_children, passphrase, salt) => {
    derived.push(`${passphrase} ${salt}`);
    return Promise.resolve(new Uint8Array([derived.length]));
  });
  const derive = (passphrase: string, number: number) => keys.derive(children, passphrase, salt(number), 18);
  assert.deepEqual(await derive("a", 1), new Uint8Array([1]));
  assert.deepEqual(await derive("a", 1), new Uint8Array([1]));
  assert.deepEqual(await derive("b", 1), new Uint8Array([2]));
  keys.keep({ passphrase: "c", salt: salt(1), workFactor: 18, key: new Uint8Array([9]) });
  assert.deepEqual(await derive("c", 1), new Uint8Array([9]));
  assert.deepEqual(derived, ["a 0,1", "b 0,1"]);
  for (let number = 2; number < 2003; number++) await derive("a", number);
  derived.length = 0;
  await derive("a", 2002);
  assert.deepEqual(derived, []);
  await derive("b", 1);
  assert.deepEqual(derived, ["b 0,1"]);
});

Deno.test("at most two keys are derived at a time, and a failure stops none of the others", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  const running: PromiseWithResolvers<Uint8Array>[] = [];
  const keys = new DerivedKeys(() => {
    running.push(Promise.withResolvers());
    return running.at(-1)!.promise;
  });
  const all = [1, 2, 3].map((number) => keys.derive(children, "a", salt(number), 18));
  assert.equal(running.length, 2);
  running[0]!.reject(new Error("no memory"));
  await assert.rejects(all[0]!, /no memory/);
  assert.equal(running.length, 3);
  for (const { resolve } of running) resolve(new Uint8Array([1]));
  await Promise.all(all.slice(1));
});
