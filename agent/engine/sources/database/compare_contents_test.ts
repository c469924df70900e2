import assert from "node:assert/strict";
import { compareContents, uncompared } from "./compare_contents.ts";

const contents = (objects?: Record<string, string[]>, not_compared: string[] = []) => ({
  tables: [{ schema: "public", name: "t", rows: 1 }],
  objects,
  not_compared,
});

Deno.test("missing objects are listed by kind, even if all objects of a kind are missing", () => {
  const expected = contents({ view: ["public.a", "public.b"], trigger: ["up on public.t"], routine: [] });
  assert.equal(
    compareContents(expected, contents({ view: ["public.a", "public.b"], trigger: ["up on public.t"] })),
    null,
  );
  assert.equal(
    compareContents(expected, contents({ view: ["public.b"] })),
    "view public.a is missing; trigger up on public.t is missing",
  );
  assert.equal(
    compareContents(expected, contents({ ...expected.objects, view: ["public.a", "public.b", "c"] })),
    null,
  );
});

Deno.test("an additional grant or database property is a difference", () => {
  const expected = contents({ grant: ["ada may SELECT on t"] });
  assert.equal(
    compareContents(expected, contents({ grant: ["ada may SELECT on t", "public may CONNECT"] })),
    "grant public may CONNECT was not there",
  );
});

Deno.test("kinds that can't be compared are reported and are no difference", () => {
  const expected = contents({ view: ["a"], grant: ["b"] }, ["positions of sequences"]);
  const found = contents({ view: ["a"] }, ["grant"]);
  assert.equal(compareContents(expected, found), null);
  assert.deepEqual(uncompared(expected, found), ["positions of sequences", "grant"]);
  assert.equal(compareContents(expected, contents(undefined)), null);
  assert.deepEqual(uncompared(expected, contents(undefined)), ["positions of sequences", "view", "grant"]);
});
