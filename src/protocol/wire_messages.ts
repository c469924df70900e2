/**
 * Every message on the agent's websocket, in both directions. Each message is one JSON text frame. The
 * messages' TypeScript types are derived from the schemas. See docs/develop/protocol.md for the order of
 * messages.
 */
import * as z from "zod";
import { RUN_PHASES } from "../domain/run.ts";
import { BackupBrowse, BackupFind, BackupSend } from "./browsing.ts";
import { RestorePreview } from "./restore_preview.ts";
import { ServerBrowse, ServerDatabases, ServerInventory } from "./exploring.ts";
import {
  DestinationSpace,
  Job,
  JobDestination,
  MAX_OBJECTS,
  ObjectName,
  Proven,
  Restored,
  StoredBackup,
  Verified,
} from "./job.ts";

const id = z.number().int().positive();
const attempt = z.number().int().positive();
const sequence = z.number().int().nonnegative();
const requestId = z.string().min(1).max(64);
/** A time in ISO 8601 UTC. */
const time = z.string().max(40);
/**
 * Trace context, in the format of the W3C header `traceparent`. Absent if nothing is traced, or if the sender
 * does not support the field.
 */
const traceparent = z.string().max(64).optional();

// Events of a run. The agent numbers them from 1 for each attempt, keeps them in its journal, and resends
// them until they are acknowledged.

/**
 * Output of the run: complete lines, each ended by `\n`. An agent sends at most 64 KiB of text in one event.
 * For each text in `warnings`, the output also has a line with a time, a prefix and the text. This line might
 * be in the `text` of another event.
 */
const OutputEvent = z.object({
  kind: z.literal("output"),
  text: z.string().max(131072),
  /** Warnings of the run, without time and prefix. Absent from agents before protocol 6. */
  warnings: z.array(z.string().max(131072)).max(65536).optional(),
});
export const ProgressEvent = z.object({
  kind: z.literal("progress"),
  bytes_read: z.number().int().nonnegative(),
  bytes_written: z.number().int().nonnegative(),
  files_count: z.number().int().nonnegative().nullable(),
  /** How many bytes were read per second, over the last few seconds. */
  bytes_per_second: z.number().nonnegative(),
  eta_seconds: z.number().nonnegative().nullable(),
  /** How long the run has made no progress, in milliseconds. Absent from agents before version 3. */
  stalled_ms: z.number().nonnegative().optional(),
  /**
   * What a stalled run waits for, such as a lock, in one line. Null or absent if the run is not stalled or
   * the cause is not known.
   */
  waits_for: z.string().max(2000).nullable().optional(),
  /**
   * What the run does now: the backup itself, or its scripts of one kind, such as the prescripts. Absent if
   * the run has no scripts.
   */
  phase: z.enum(RUN_PHASES).optional(),
});
export type ProgressEvent = z.infer<typeof ProgressEvent>;

/** Verdict of a successful run. Its last field depends on the kind of the run. */
const Succeeded = z.union([
  z.object({
    outcome: z.literal("succeeded"),
    warnings_count: z.number().int().nonnegative(),
    backup: StoredBackup,
  }),
  z.object({
    outcome: z.literal("succeeded"),
    warnings_count: z.number().int().nonnegative(),
    restored: Restored,
  }),
  z.object({
    outcome: z.literal("succeeded"),
    warnings_count: z.number().int().nonnegative(),
    verified: Verified,
  }),
  z.object({
    outcome: z.literal("succeeded"),
    warnings_count: z.number().int().nonnegative(),
    proven: Proven,
  }),
]);

export const Verdict = z.union([
  Succeeded,
  z.object({
    outcome: z.literal("failed"),
    warnings_count: z.number().int().nonnegative(),
    /** Why the run failed, in one line that a person can act on. */
    reason: z.string().max(4096),
    /** Names of objects that the run might have left at the destination. The control plane removes them. */
    leftovers: z.array(ObjectName).max(MAX_OBJECTS),
    /** For a run that read a damaged backup: the damage in one line. Sent only if the damage is certain. */
    damage: z.string().max(4096).optional(),
    /**
     * The stored backup, if the run failed only because a script failed after the backup. For control planes
     * that do not support this field, `leftovers` also names the backup's objects.
     */
    backup: StoredBackup.optional(),
  }),
  z.object({
    outcome: z.literal("cancelled"),
    warnings_count: z.number().int().nonnegative(),
    reason: z.string().max(4096),
    leftovers: z.array(ObjectName).max(MAX_OBJECTS),
  }),
]);
export type Verdict = z.infer<typeof Verdict>;

export const RunEvent = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("accepted") }),
  OutputEvent,
  ProgressEvent,
  z.object({ kind: z.literal("finished"), verdict: Verdict }),
]);
export type RunEvent = z.infer<typeof RunEvent>;

export const RunEventMessage = z.object({
  type: z.literal("run.event"),
  run_id: id,
  attempt,
  sequence: z.number().int().positive(),
  at: time,
  event: RunEvent,
  /** Trace context of the agent's span for the run. */
  traceparent,
});
export type RunEventMessage = z.infer<typeof RunEventMessage>;

export const AgentDescription = z.object({
  version: z.string().max(64),
  hostname: z.string().max(255),
  os: z.string().max(64),
  arch: z.string().max(64),
  /** Versions of the programs on the server, by name. Programs that are not installed are absent. */
  tools: z.record(z.string().max(64), z.string().max(200)),
  /** Source types that the agent supports. Absent from older agents. */
  sources: z.array(z.string().max(64)).max(200).optional(),
});
export type AgentDescription = z.infer<typeof AgentDescription>;

// Requests to agents, and their results.

/** Asks the agent to write, read back and delete a probe object. */
const DestinationCheck = z.object({
  kind: z.literal("destination.check"),
  destination: JobDestination,
});
/**
 * Asks the agent to delete objects and their partial files. If an object is missing, it might be deleted
 * already, or the wrong storage might be mounted. `witnesses` are other objects that should be in the
 * directory. If one of them is found, the right storage is mounted, so the missing object counts as deleted.
 * If there are no witnesses, the directory must exist.
 */
const DestinationDelete = z.object({
  kind: z.literal("destination.delete"),
  destination: JobDestination,
  names: z.array(z.string()).max(1000),
  /**
   * Names of objects that should be in the directory, apart from those to delete. Absent before protocol 3.
   */
  witnesses: z.array(z.string()).max(10).optional(),
});
export const AgentRequest = z.discriminatedUnion("kind", [
  DestinationCheck,
  DestinationDelete,
  BackupBrowse,
  BackupFind,
  BackupSend,
  ServerBrowse,
  ServerDatabases,
  ServerInventory,
  RestorePreview,
]);
export type AgentRequest = z.infer<typeof AgentRequest>;

export const CheckStep = z.object({
  name: z.string(),
  ok: z.boolean(),
  message: z.string(),
  ms: z.number().nonnegative(),
});
export type CheckStep = z.infer<typeof CheckStep>;
export const DestinationCheckResult = z.object({
  ok: z.boolean(),
  steps: z.array(CheckStep),
  /**
   * Space at the destination. Absent if it is unknown or if a step of the check failed. Older agents never
   * send it.
   */
  space: DestinationSpace.optional(),
});
export type DestinationCheckResult = z.infer<typeof DestinationCheckResult>;
export const DestinationDeleteResult = z.object({
  deleted: z.array(z.string()),
  failed: z.array(z.object({ name: z.string(), message: z.string() })),
});
export type DestinationDeleteResult = z.infer<typeof DestinationDeleteResult>;

export const AgentMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    protocol: z.object({ min: z.number().int(), max: z.number().int() }),
    agent: AgentDescription,
    /**
     * Identifies an agent process by the boot of its machine and by its state directory. Each process locks
     * its state directory, and only one process at a time can hold the lock. So if a new agent process has
     * the same seat as an earlier one, the earlier process has ended. Absent from agents before version 3.
     */
    seat: z.string().min(1).max(128).optional(),
    /** Every run in the agent's journal. `last_sequence` is the number of the newest event in the journal. */
    runs: z.array(z.object({ run_id: id, attempt, finished: z.boolean(), last_sequence: sequence })).max(
      10000,
    ),
  }),
  RunEventMessage,
  z.object({
    type: z.literal("upload.open"),
    request_id: requestId,
    traceparent,
    run_id: id,
    attempt,
    /** Name of the object without the directory. */
    name: z.string().max(1024),
    /**
     * Size of this object in the last backup, in bytes; null if it is not known. The control plane computes
     * the part size from it.
     */
    size_hint: z.number().nonnegative().nullable(),
  }),
  z.object({
    type: z.literal("upload.parts"),
    request_id: requestId,
    traceparent,
    upload_id: z.string().max(64),
    /**
     * Number of the first part to sign. The numbers of an upload's parts begin at 1. `count` is how many
     * parts to sign.
     */
    from: z.number().int().min(1).max(10000),
    count: z.number().int().min(1).max(100),
  }),
  z.object({
    type: z.literal("upload.complete"),
    request_id: requestId,
    traceparent,
    upload_id: z.string().max(64),
    size: z.number().int().nonnegative(),
    parts: z.array(z.object({ part_number: z.number().int().positive(), etag: z.string().max(200) })).max(
      10000,
    ),
  }),
  z.object({
    type: z.literal("upload.abort"),
    request_id: requestId,
    traceparent,
    upload_id: z.string().max(64),
  }),
  z.object({
    type: z.literal("download.sign"),
    request_id: requestId,
    traceparent,
    run_id: id,
    attempt,
    /** Name of an object, without the directory. The object belongs to the backup that the run reads. */
    name: z.string().max(1024),
  }),
  z.object({
    type: z.literal("response"),
    request_id: requestId,
    ok: z.boolean(),
    result: z.unknown().optional(),
    /** The error in one line; absent if `ok` is true. */
    error: z.string().max(4096).optional(),
    /** Damage of the backup, in one line. Sent only if the agent read a backup and the damage is certain. */
    damage: z.string().max(4096).optional(),
  }),
  z.object({ type: z.literal("pong") }),
]);
export type AgentMessage = z.infer<typeof AgentMessage>;

/**
 * Instruction to an agent about a run that it holds: `continue` the run, `cancel` it and clean up, or
 * `forget` it and delete its events without sending them.
 */
const Instruction = z.enum(["continue", "cancel", "forget"]);
export type Instruction = z.infer<typeof Instruction>;

const WelcomedRun = z.object({
  run_id: id,
  attempt,
  /** The instruction; present since protocol 4. */
  instruction: Instruction.optional(),
  /** The instruction under its name before protocol 4. */
  verdict: Instruction.optional(),
  /** Number of the newest stored event. The agent resends the events after it. */
  acknowledged: sequence,
}).refine(({ instruction, verdict }) => instruction !== undefined || verdict !== undefined, {
  path: ["instruction"],
  error: "is missing",
});
export type WelcomedRun = z.infer<typeof WelcomedRun>;

/** Returns the instruction for a run. The control plane's version decides which field contains it. */
export function instructionOf({ instruction, verdict }: WelcomedRun): Instruction {
  return (instruction ?? verdict)!;
}

export const ServerMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    protocol: z.number().int(),
    server_time: time,
    /**
     * Interval between the control plane's pings, in milliseconds. The control plane closes a connection that
     * is silent for three times as long.
     */
    heartbeat_ms: z.number().positive(),
    remote_server: z.object({ id, label: z.string() }),
    /** Instructions for the runs in `hello`, one for each. */
    runs: z.array(WelcomedRun),
  }),
  z.object({
    type: z.literal("refused"),
    /** `duplicate` is sent only to agents of version 3 and later. */
    code: z.enum(["protocol", "revoked", "replaced", "duplicate"]),
    message: z.string(),
  }),
  z.object({ type: z.literal("run.start"), run_id: id, attempt, job: Job, traceparent }),
  z.object({ type: z.literal("run.cancel"), run_id: id, attempt, reason: z.string() }),
  /** All events up to `sequence` are stored, so the agent can delete them. */
  z.object({ type: z.literal("ack"), run_id: id, attempt, sequence }),
  z.object({
    type: z.literal("upload.opened"),
    request_id: requestId,
    upload_id: z.string(),
    /** Size of a part in bytes. The last part may be smaller. */
    part_size: z.number().int().positive(),
  }),
  z.object({
    type: z.literal("upload.signed"),
    request_id: requestId,
    urls: z.array(z.object({ part_number: z.number().int(), url: z.string() })),
    expires_in_ms: z.number().positive(),
  }),
  z.object({ type: z.literal("upload.completed"), request_id: requestId, size: z.number().int() }),
  z.object({ type: z.literal("upload.aborted"), request_id: requestId }),
  z.object({
    type: z.literal("upload.refused"),
    request_id: requestId,
    /** The error in one line. `retryable` says whether the same request might succeed later. */
    message: z.string(),
    retryable: z.boolean(),
  }),
  z.object({
    type: z.literal("download.signed"),
    request_id: requestId,
    /** Presigned URL for GET requests with ranges. */
    url: z.string(),
    expires_in_ms: z.number().positive(),
  }),
  z.object({
    type: z.literal("download.refused"),
    request_id: requestId,
    message: z.string(),
    retryable: z.boolean(),
  }),
  z.object({
    type: z.literal("request"),
    request_id: requestId,
    timeout_ms: z.number().positive(),
    request: AgentRequest,
  }),
  z.object({ type: z.literal("ping") }),
]);
export type ServerMessage = z.infer<typeof ServerMessage>;
