/**
 * Tests journals that are cut off or altered at every byte. Exactly the undamaged entries are read, and no
 * event number is used twice.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import type { RunEvent } from "../src/protocol/wire_messages.ts";
import { TestClock } from "../tests/support/fixtures/clock.ts";
import { isWhole, runs } from "../tests/support/fuzz.ts";
import { Journal, type RunJournal } from "./journal.ts";

/** An action that writes one entry to the journal. */
type Step =
  | { does: "append"; event: RunEvent }
  | { does: "finish" }
  | { does: "open"; name: string; path: string | null }
  | { does: "scratch"; path: string };

interface State {
  kind: string;
  events: [number, RunEvent][];
  openings: { name: string; path: string | null }[];
  scratches: string[];
  finished: boolean;
}

const VERDICT: RunEvent & { kind: "finished" } = {
  kind: "finished",
  verdict: { outcome: "failed", warnings_count: 0, reason: "no ☂", leftovers: ["a.tar.zst"] },
};

async function writeJournal(path: string, kind: "backup" | "restore", steps: readonly Step[]): Promise<void> {
  const journal = await Journal.open(path, new TestClock());
  const run = journal.create(1, 1, kind);
  for (const step of steps) {
    if (step.does === "append") run.append(step.event);
    if (step.does === "finish") await run.finish(VERDICT);
    if (step.does === "open") await run.opening(step.name, step.path);
    if (step.does === "scratch") await run.scratch(step.path);
  }
  journal.close();
}

/** Returns the expected state of a journal. All lines for which `isWhole` returns false are damaged. */
function expected(
  kind: "backup" | "restore",
  steps: readonly Step[],
  isWhole: (line: number) => boolean,
): State {
  const state: State = { kind: "backup", events: [], openings: [], scratches: [], finished: false };
  let [line, sequence] = [0, 0];
  // A restore's journal starts with an extra line, which says that the job is a restore.
  if (kind === "restore" && isWhole(line++)) state.kind = kind;
  for (const step of steps) {
    const number = step.does === "append" || step.does === "finish" ? ++sequence : 0;
    if (!isWhole(line++)) continue;
    if (step.does === "append") state.events.push([number, step.event]);
    if (step.does === "finish") {
      state.events.push([number, VERDICT]);
      state.finished = true;
    }
    if (step.does === "open") state.openings.push({ name: step.name, path: step.path });
    if (step.does === "scratch") state.scratches.push(step.path);
  }
  return state;
}

function stateOf(run: RunJournal): State {
  return {
    kind: run.kind,
    events: run.after(0, 1000).map(({ sequence, event }) => [sequence, event]),
    openings: [...run.openings],
    scratches: [...run.scratches],
    finished: run.finished,
  };
}

/**
 * Reads `bytes` as a journal and compares it with `state`. Then appends an event, reads the journal again,
 * and compares it again.
 */
async function check(directory: string, bytes: Uint8Array, state: State, last: number): Promise<void> {
  const file = join(directory, "1-1.jsonl");
  await Deno.writeFile(file, bytes);
  const read = await Journal.open(directory, new TestClock());
  const run = read.find(1, 1)!;
  assert.deepEqual(stateOf(run), state);
  const next: RunEvent = { kind: "output", text: "after\n" };
  run.append(next);
  // The new event must have a number that was never used. The events that are missing from the file might
  // have been sent, so their numbers count as used.
  if (!state.finished) assert.ok(run.lastSequence > last);
  read.close();
  const again = await Journal.open(directory, new TestClock());
  const events = [...state.events, [run.lastSequence, next]];
  assert.deepEqual(stateOf(again.find(1, 1)!), { ...state, events });
  again.close();
}

async function inDirectory(work: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await work(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

const STEPS: readonly Step[] = [
  { does: "append", event: { kind: "accepted" } },
  { does: "append", event: { kind: "output", text: 'é ☂ "quoted" \\ {}\n' } },
  { does: "open", name: "x.tar.zst", path: "/b/.x.partial" },
  {
    does: "append",
    event: {
      kind: "progress",
      bytes_read: 10,
      bytes_written: 5,
      files_count: 1,
      bytes_per_second: 2.5,
      eta_seconds: null,
    },
  },
  { does: "scratch", path: "/b/.rearguard-restore" },
  { does: "append", event: { kind: "output", text: "\u{1f4be} two\nlines\n" } },
];

for (
  const [name, kind, steps] of [
    ["a run at work", "backup", STEPS],
    ["a run with its verdict", "restore", [...STEPS, { does: "finish" }]],
  ] as const
) {
  const events = steps.filter(({ does }) => does === "append" || does === "finish").length;

  Deno.test(`the journal of ${name}, cut at every byte`, () =>
    inDirectory(async (directory) => {
      await writeJournal(directory, kind, steps);
      const whole = await Deno.readFile(join(directory, "1-1.jsonl"));
      const ends = [...whole.keys()].filter((index) => whole[index] === 10);
      for (let cut = 0; cut <= whole.length; cut++) {
        const state = expected(kind, steps, (line) => ends[line]! < cut);
        await check(directory, whole.subarray(0, cut), state, events);
      }
    }));

  Deno.test(`the journal of ${name}, with a byte altered at every offset`, () =>
    inDirectory(async (directory) => {
      await writeJournal(directory, kind, steps);
      const whole = await Deno.readFile(join(directory, "1-1.jsonl"));
      const ends = [...whole.keys()].filter((index) => whole[index] === 10);
      for (let offset = 0; offset < whole.length; offset++) {
        const damaged = ends.findIndex((end) => offset <= end);
        // If the newline at the end of a line is altered, this line and the next one become a single line.
        const isEnd = ends[damaged] === offset;
        const afterChecksum = (ends[damaged - 1] ?? -1) + 1 + 8;
        for (const flip of isWhole ? [...Array(255).keys()].map((bits) => bits + 1) : [1, 0x80]) {
          const bytes = whole.slice();
          bytes[offset]! ^= flip;
          // If the space after the checksum becomes a newline, the JSON is on a line of its own. Lines of
          // older agents have this format.
          const isOlder = offset === afterChecksum && bytes[offset] === 10;
          const state = expected(
            kind,
            steps,
            (line) => isOlder || (line !== damaged && !(isEnd && line === damaged + 1)),
          );
          await check(directory, bytes, state, events);
        }
      }
    }));
}

Deno.test("the journal of any run, altered anywhere, yields only written entries and none twice", () =>
  inDirectory(async (directory) => {
    const text = fc.string({ unit: "binary", maxLength: 40 }).map((line) => `${line}\n`);
    const step: fc.Arbitrary<Step> = fc.oneof(
      text.map((text): Step => ({ does: "append", event: { kind: "output", text } })),
      fc.string({ unit: "grapheme" }).map((name): Step => ({ does: "open", name, path: null })),
      fc.string({ unit: "grapheme" }).map((path): Step => ({ does: "scratch", path })),
    );
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 12 }),
      damage,
      fc.nat(),
      async (steps, damage, cut) => {
        await Deno.remove(join(directory, "1-1.jsonl")).catch(() => {});
        await writeJournal(directory, "backup", steps);
        const bytes = await Deno.readFile(join(directory, "1-1.jsonl"));
        for (const [offset, value] of damage) if (bytes.length > 0) bytes[offset % bytes.length] = value;
        await Deno.writeFile(join(directory, "1-1.jsonl"), bytes.subarray(0, bytes.length - cut % 20));
        const read = await Journal.open(directory, new TestClock());
        const found = stateOf(read.find(1, 1)!);
        read.close();
        const all = expected("backup", steps, () => true);
        const known = new Map(all.events.map(([sequence, event]) => [sequence, event]));
        assert.equal(new Set(found.events.map(([sequence]) => sequence)).size, found.events.length);
        for (const [sequence, event] of found.events) assert.deepEqual(event, known.get(sequence));
        const names = all.openings.map(({ name }) => name);
        for (const { name } of found.openings) assert.ok(names.includes(name));
        for (const path of found.scratches) assert.ok(all.scratches.includes(path));
      },
    );
    await fc.assert(property, runs(200, 50_000));
  }));
