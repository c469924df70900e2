/**
 * Defines the tasks, runs and faults of a plan. A plan depends only on its seed: the same seed gives the same
 * plan on any machine.
 */
import * as fc from "fast-check";
import { AGENT_FRAMES, CONTROL_PLANE_FRAMES, type FrameKind } from "./frames.ts";

export const AGENTS = 2;
export const TREES = ["few files", "many sockets", "large files"] as const;
export const PLACES = ["local", "small disk", "network disk", "s3", "sftp", "webdav"] as const;
/** Servers that have a relay in front of them. A plan breaks the relay, never the server itself. */
export type RelayedServer = "SFTP" | "WebDAV";
export type TreeName = typeof TREES[number];
export type PlaceName = typeof PLACES[number];

export interface PlannedTask {
  readonly agent: number;
  readonly tree: TreeName;
  readonly place: PlaceName;
  /** The number of backups that retention keeps; 0 for all. */
  readonly keep: number;
}

export interface PlannedRun {
  /** The start of the run, in milliseconds from the plan's start. */
  readonly at: number;
  readonly task: number;
  readonly by: "hand" | "schedule";
}

/**
 * When a fault happens: either `at` milliseconds after the plan's start, or when the proxy passes on the n-th
 * frame of the type `frame`. `side` says whether the fault comes before or after this frame.
 */
export type Moment =
  | { readonly at: number }
  | { readonly frame: FrameKind; readonly nth: number; readonly side: "before" | "after" };
export type FrameMoment = Extract<Moment, { frame: FrameKind }>;

export type FrameAction =
  | { readonly type: "cut" }
  /**
   * The proxy passes on no further frames from the sender of this frame. Frames in the opposite direction are
   * still passed on.
   */
  | { readonly type: "half-close" }
  /** Passes the frame on twice, with `apart` milliseconds between. */
  | { readonly type: "duplicate"; readonly apart: number }
  | { readonly type: "delay"; readonly ms: number };

export type Action =
  | { readonly type: "kill agent"; readonly agent: number; readonly downFor: number }
  | { readonly type: "kill control plane"; readonly plane: number; readonly downFor: number }
  | { readonly type: "kill Postgres"; readonly downFor: number }
  | { readonly type: "fill the destination's disk" }
  | { readonly type: "fill the agent's disk"; readonly agent: number }
  | { readonly type: "S3 answers 500" | "S3 answers 503"; readonly calls: number }
  | { readonly type: "S3 cuts connections" | "S3 carries out, then cuts"; readonly calls: number }
  | { readonly type: "S3 is slow"; readonly bytesPerSecond: number }
  | { readonly type: "S3 truncates answers"; readonly after: number; readonly calls: number }
  | { readonly type: `drop ${RelayedServer}` }
  | { readonly type: `${RelayedServer} is slow`; readonly bytesPerSecond: number }
  /** Connections are accepted but get no response until everything is repaired. */
  | { readonly type: "S3 falls mute" | `${RelayedServer} falls mute` | "the network disk falls mute" }
  | { readonly type: "Postgres falls mute"; readonly downFor: number }
  | { readonly type: "jump the clock"; readonly plane: number; readonly seconds: number }
  | { readonly type: "cancel"; readonly task: number };

export type PlannedFault =
  | { readonly moment: FrameMoment; readonly action: FrameAction }
  | { readonly moment: Moment; readonly action: Action };

export interface Plan {
  readonly seed: number;
  readonly controlPlanes: 1 | 3;
  readonly tasks: readonly PlannedTask[];
  readonly runs: readonly PlannedRun[];
  readonly faults: readonly PlannedFault[];
}

/**
 * The number of consecutive seeds whose plans have the same number of control planes. These plans run one
 * after another on the same control planes. Starting control planes for each plan would take longer than the
 * plan itself.
 */
const BLOCK = 10;

export function planOf(seed: number): Plan {
  const controlPlanes = Math.floor(seed / BLOCK) % 2 === 0 ? 1 : 3;
  const [drawn] = fc.sample(contents, { seed, numRuns: 1 });
  return { seed, controlPlanes, ...drawn! };
}

/** A downtime in milliseconds, longer than the time after which a run is declared lost. */
const LONG_GONE = 26_000;

const among = (below: number) => fc.integer({ min: 0, max: below - 1 });
const downFor = fc.integer({ min: 50, max: 1500 });
const calls = fc.integer({ min: 1, max: 4 });
const time = fc.integer({ min: 0, max: 2500 });

const task: fc.Arbitrary<PlannedTask> = fc.record({
  agent: among(AGENTS),
  tree: fc.constantFrom(...TREES),
  place: fc.constantFrom(...PLACES),
  keep: fc.constantFrom(0, 0, 1),
});

/**
 * Frames that occur in every run. Upload frames occur only with a bucket, and the rare frames only in some
 * runs.
 */
const USUAL = ["run.start", "accepted", "output", "finished", "ack"] as const;
const UPLOADS = [...AGENT_FRAMES, ...CONTROL_PLANE_FRAMES].filter((frame) => frame.startsWith("upload."));
const RARE = ["hello", "welcome", "progress", "response", "request", "run.cancel"] as const;

const frameMoment = (places: ReadonlySet<PlaceName>): fc.Arbitrary<FrameMoment> =>
  fc.record({
    frame: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom<FrameKind>(...USUAL) },
      { weight: 2, arbitrary: fc.constantFrom<FrameKind>(...RARE) },
      ...(places.has("s3") ? [{ weight: 4, arbitrary: fc.constantFrom<FrameKind>(...UPLOADS) }] : []),
    ),
    nth: fc.constantFrom(1, 1, 1, 1, 2, 2, 3),
    side: fc.constantFrom("before", "after"),
  });
/**
 * Generates when a fault happens: at a time or at a frame. Most faults happen at a frame, because most runs
 * end within a second.
 */
const moment = (places: ReadonlySet<PlaceName>): fc.Arbitrary<Moment> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.record({ at: time }) },
    { weight: 3, arbitrary: frameMoment(places) },
  );

const frameAction: fc.Arbitrary<FrameAction> = fc.oneof(
  fc.record({ type: fc.constant("cut" as const) }),
  fc.record({ type: fc.constant("half-close" as const) }),
  fc.record({ type: fc.constant("duplicate" as const), apart: fc.constantFrom(0, 300) }),
  fc.record({ type: fc.constant("delay" as const), ms: fc.integer({ min: 20, max: 4000 }) }),
);

const kill = (agents: readonly number[]): fc.Arbitrary<Action> =>
  fc.oneof(
    fc.record({
      type: fc.constant("kill agent" as const),
      agent: fc.constantFrom(...agents),
      downFor: fc.oneof({ weight: 9, arbitrary: downFor }, { weight: 1, arbitrary: fc.constant(LONG_GONE) }),
    }),
    fc.record({ type: fc.constant("kill control plane" as const), plane: among(3), downFor }),
    fc.record({ type: fc.constant("kill Postgres" as const), downFor }),
    fc.record({
      type: fc.constant("Postgres falls mute" as const),
      downFor: fc.integer({ min: 50, max: 6000 }),
    }),
  );

const mishap = (places: ReadonlySet<PlaceName>, agents: readonly number[]): fc.Arbitrary<Action> => {
  const s3: fc.Arbitrary<Action>[] = [
    ...(["S3 answers 500", "S3 answers 503"] as const).map((type) =>
      fc.record({ type: fc.constant(type), calls })
    ),
    ...(["S3 cuts connections", "S3 carries out, then cuts"] as const).map((type) =>
      fc.record({ type: fc.constant(type), calls })
    ),
    fc.record({
      type: fc.constant("S3 is slow" as const),
      bytesPerSecond: fc.integer({ min: 200_000, max: 5_000_000 }),
    }),
    fc.record({ type: fc.constant("S3 falls mute" as const) }),
    fc.record({
      type: fc.constant("S3 truncates answers" as const),
      after: fc.integer({ min: 0, max: 400 }),
      calls,
    }),
  ];
  const relayed = (server: RelayedServer): fc.Arbitrary<Action>[] => [
    fc.record({ type: fc.constant(`drop ${server}` as const) }),
    fc.record({ type: fc.constant(`${server} falls mute` as const) }),
    fc.record({
      type: fc.constant(`${server} is slow` as const),
      bytesPerSecond: fc.integer({ min: 200_000, max: 5_000_000 }),
    }),
  ];
  return fc.oneof(
    fc.record({ type: fc.constant("cancel" as const), task: among(agents.length) }),
    fc.record({ type: fc.constant("fill the agent's disk" as const), agent: fc.constantFrom(...agents) }),
    fc.record({
      type: fc.constant("jump the clock" as const),
      plane: among(3),
      seconds: fc.constantFrom(-3600, -90, -5, 5, 90, 3600, 86_400),
    }),
    ...(places.has("s3") ? s3 : []),
    ...(places.has("sftp") ? relayed("SFTP") : []),
    ...(places.has("webdav") ? relayed("WebDAV") : []),
    ...(places.has("network disk")
      ? [fc.record({ type: fc.constant("the network disk falls mute" as const) })]
      : []),
    ...(places.has("small disk")
      ? [fc.record({ type: fc.constant("fill the destination's disk" as const) })]
      : []),
  );
};

const contents: fc.Arbitrary<Omit<Plan, "seed" | "controlPlanes">> = fc
  .array(task, { minLength: 1, maxLength: 3 })
  .chain((tasks) => {
    const run: fc.Arbitrary<PlannedRun> = fc.record({
      at: fc.integer({ min: 0, max: 2000 }),
      task: among(tasks.length),
      by: fc.constantFrom("hand", "hand", "schedule"),
    });
    const places = new Set(tasks.map(({ place }) => place));
    const agents = tasks.map(({ agent }) => agent);
    const fault: fc.Arbitrary<PlannedFault> = fc.oneof(
      fc.record({ moment: frameMoment(places), action: frameAction }),
      fc.record({ moment: moment(places), action: kill(agents) }),
      fc.record({ moment: moment(places), action: mishap(places, agents) }),
    );
    return fc.record({
      tasks: fc.constant(tasks),
      runs: fc.array(run, { minLength: 2, maxLength: 6, size: "max" }),
      faults: fc.array(fault, { minLength: 2, maxLength: 6, size: "max" }),
    });
  });

/** Returns the description of a plan for a person: a line for each task, run and fault. */
export function describePlan({ controlPlanes, faults, runs, seed, tasks }: Plan): string[] {
  return [
    `seed ${seed}: ${controlPlanes} control plane${controlPlanes === 1 ? "" : "s"}`,
    ...tasks.map(({ agent, keep, place, tree }, index) =>
      `  task ${index}: ${tree} of agent ${agent} to ${place}${keep === 0 ? "" : `, keeps ${keep}`}`
    ),
    ...runs.map(({ at, by, task }) => `  ${at} ms: task ${task} by ${by}`),
    ...faults.map(({ action, moment }) => `  ${describeMoment(moment)}: ${describeAction(action)}`),
  ];
}

function describeMoment(moment: Moment): string {
  return "at" in moment ? `${moment.at} ms` : `${moment.side} ${moment.frame} ${moment.nth}`;
}

function describeAction({ type, ...details }: Action | FrameAction): string {
  const told = Object.entries(details).map(([name, value]) => `${name} ${value}`);
  return [type, ...told].join(", ");
}
