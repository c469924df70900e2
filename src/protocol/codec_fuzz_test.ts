/**
 * Tests frames of a broken or hostile peer. Each frame must be decoded, ignored, or refused with one short
 * line.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { runs } from "../../tests/support/fuzz.ts";
import { testAlone } from "../../tests/support/alone.ts";
import { decodeAgentMessage, decodeServerMessage, encode, MAX_FRAME, ProtocolError } from "./codec.ts";

const GOLDEN = ["v1_agent", "v1_server", "v2_agent", "v2_server", "v3_agent", "v3_server"].flatMap((name) =>
  Deno.readTextFileSync(new URL(`../../tests/compat/${name}.jsonl`, import.meta.url)).trimEnd().split("\n")
);

/**
 * JSON texts to replace a value with: other types, values at a limit, and names that are special in
 * JavaScript.
 */
const EVIL = [
  "null",
  "true",
  '""',
  "[]",
  "{}",
  "-1",
  "0.5",
  "1e999",
  "-1e999",
  "1e308",
  "9007199254740993",
  "-0",
  "123456789012345678901234567890",
  '"\\ud800"',
  '"\\u0000\\n\\u2028"',
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  `${"[".repeat(1000)}${"]".repeat(1000)}`,
  `${'{"a":'.repeat(1000)}1${"}".repeat(1000)}`,
  `"${"x".repeat(200_000)}"`,
  `[${"0,".repeat(20_000)}0]`,
  '"☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂☂"',
];
const NAMES = [
  "__proto__",
  "constructor",
  "toString",
  "type",
  "kind",
  "",
  "\\ud83d",
  "☂".repeat(100),
  "a\\nb",
];

/** Matches the values in a JSON text, by the `:`, `,` or `[` before each value. Does not match names. */
const VALUE = /(?<=[:[,]\s*)("(?:[^"\\]|\\.)*"|-?[\d.eE+]+|true|false|null)(?!\s*:)/g;

type Change =
  | { to: "value"; place: number; evil: number }
  | { to: "name"; place: number; name: number; evil: number }
  | { to: "characters"; place: number; length: number; text: string }
  | { to: "copy"; place: number; length: number; target: number };

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ to: fc.constant("value" as const), place: fc.nat(), evil: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      to: fc.constant("name" as const),
      place: fc.nat(),
      name: fc.nat(),
      evil: fc.nat(),
    }),
  },
  fc.record({
    to: fc.constant("characters" as const),
    place: fc.nat(),
    length: fc.nat(5),
    text: fc.string({ unit: "binary", maxLength: 5 }),
  }),
  fc.record({
    to: fc.constant("copy" as const),
    place: fc.nat(),
    length: fc.nat(200),
    target: fc.nat(),
  }),
);

function mutate(frame: string, change: Change): string {
  if (change.to === "value") {
    const found = [...frame.matchAll(VALUE)];
    const match = found[change.place % found.length];
    if (match === undefined) return frame;
    return frame.slice(0, match.index) + EVIL[change.evil % EVIL.length] +
      frame.slice(match.index + match[0].length);
  }
  if (change.to === "name") {
    const found = [...frame.matchAll(/\{/g)];
    const match = found[change.place % found.length];
    if (match === undefined) return frame;
    const more = `"${NAMES[change.name % NAMES.length]}":${EVIL[change.evil % EVIL.length]},`;
    return frame.slice(0, match.index + 1) + more + frame.slice(match.index + 1);
  }
  const place = change.place % (frame.length + 1);
  if (change.to === "characters") {
    return frame.slice(0, place) + change.text + frame.slice(place + change.length);
  }
  const target = change.target % (frame.length + 1);
  return frame.slice(0, target) + frame.slice(place, place + change.length) + frame.slice(target);
}

const frame: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 18,
    arbitrary: fc.tuple(fc.nat(GOLDEN.length - 1), fc.array(change, { minLength: 1, maxLength: 4 }))
      .map(([line, changes]) => changes.reduce(mutate, GOLDEN[line]!)),
  },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
);

/** Throws if the codec does not keep its contract for this frame. */
function check(frame: string): void {
  for (const decode of [decodeAgentMessage, decodeServerMessage]) {
    let decoded: ReturnType<typeof decode>;
    try {
      decoded = decode(frame);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
      assert.ok(error.message.length < 250, error.message.slice(0, 400));
      assert.match(error.message, /^Cannot read a .+$/u);
      assert.ok(error.message.isWellFormed());
      continue;
    }
    if (!decoded.known) {
      assert.ok(decoded.type.length < 100);
      continue;
    }
    // Encoding a decoded message and decoding it again yields the same message.
    const text = encode(decoded.message);
    const again: ReturnType<typeof decode> = decode(text);
    assert.ok(again.known && encode(again.message) === text, text.slice(0, 400));
  }
}

Deno.test("mutated frames are decoded, ignored or refused, and leave the runtime unchanged", () => {
  const before = Reflect.ownKeys(Object.prototype).length;
  fc.assert(fc.property(frame, check), runs(4000, 1_000_000));
  assert.equal(Reflect.ownKeys(Object.prototype).length, before);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("a peer's names are shown as one short line of valid text", () => {
  for (const name of ["☂".repeat(5000), "a\nb\u2028c", "\ud800"]) {
    check(JSON.stringify({ type: "hello", agent: { tools: { [name]: 1 } }, runs: [] }));
    check(JSON.stringify({
      ...JSON.parse(GOLDEN[0]!),
      agent: { ...JSON.parse(GOLDEN[0]!).agent, tools: { [name]: 1 } },
    }));
    check(JSON.stringify({ type: name }));
  }
});

/** Yields frames of the maximum size, each with different content. */
function* largest(): Generator<string> {
  const fill = (head: string, piece: string, tail: string) =>
    head + piece.repeat(Math.floor((MAX_FRAME - head.length - tail.length) / piece.length)) + tail;
  const answer = '{"type":"response","request_id":"1","ok":true,"result":';
  yield fill(answer, "[", "");
  yield fill(answer, '{"a":', "");
  yield fill(`${answer}[`, "[],", "[]]}");
  yield fill(`${answer}[`, "{},", "{}]}");
  yield fill(`${answer}[`, '{"__proto__":[]},', "0]}");
  yield `${answer}${"[".repeat(500_000)}${"]".repeat(500_000)}}`;
  yield fill('{"type":"hello","runs":[', "0,", "0]}");
  yield fill(
    '{"type":"hello","protocol":{"min":1,"max":2},"agent":{"version":"","hostname":"","os":"","arch":"","tools":{}},"runs":[',
    "{},",
    "{}]}",
  );
  yield fill('{"type":"', "x", '"}');
  yield fill('{"type":"ack","run_id":', "9", "}");
}

// If decoding a frame took more than a hundred times the frame's size in memory, the process would end: its
// heap is limited to 256 MB.
testAlone(import.meta.url, "the largest frames take a bounded memory", () => {
  for (let round = 0; round < 3; round++) for (const frame of largest()) checkLargest(frame);
  return Promise.resolve();
}, ["--max-old-space-size=256"]);

function checkLargest(frame: string): void {
  assert.ok(frame.length <= MAX_FRAME);
  for (const decode of [decodeAgentMessage, decodeServerMessage]) {
    try {
      decode(frame);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }
}
