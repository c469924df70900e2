/**
 * Every message on the agent's websocket, both directions: JSON text frames, one message each.
 * The schemas are the only source of the types. See docs/develop/protocol.md for the order of messages.
 */
import * as z from "zod";
import { RUN_PHASES } from "../domain/run.ts";
import { BackupBrowse, BackupSend } from "./browsing.ts";
import {
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
/** ISO 8601 UTC. */
const time = z.string().max(40);
/** A W3C Trace Context header. Absent if nothing is traced, and from peers that don't know it. */
const traceparent = z.string().max(64).optional();

// Events of a run: numbered from 1 within (run, attempt), journaled by the agent, resent until acknowledged.

/** Complete lines, each ended by `\n`; at most 64 KiB of text in one event. */
const OutputEvent = z.object({ kind: z.literal("output"), text: z.string().max(131072) });
export const ProgressEvent = z.object({
  kind: z.literal("progress"),
  bytes_read: z.number().int().nonnegative(),
  bytes_written: z.number().int().nonnegative(),
  files_count: z.number().int().nonnegative().nullable(),
  /** Bytes read a second, over the last few seconds. */
  bytes_per_second: z.number().nonnegative(),
  eta_seconds: z.number().nonnegative().nullable(),
  /** How long the run has made no progress. Missing from agents before version 3. */
  stalled_ms: z.number().nonnegative().optional(),
  /** The cause of the stall, in one line. */
  waits_for: z.string().max(2000).nullable().optional(),
  /** A type of script, or `backup`. Missing from runs without scripts. */
  phase: z.enum(RUN_PHASES).optional(),
});
export type ProgressEvent = z.infer<typeof ProgressEvent>;

/** The result of a successful run, by kind of run. */
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
    /** One line that a person can act on. */
    reason: z.string().max(4096),
    /** Names of objects that may be left at the destination, for the control plane to remove. */
    leftovers: z.array(ObjectName).max(MAX_OBJECTS),
    /** How the backup that the run read is damaged, in one line. Sent only if the damage is certain. */
    damage: z.string().max(4096).optional(),
    /**
     * The backup that is stored although the run failed, since only a script failed after it. The leftovers
     * name its objects, for control planes that don't know this field.
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
  /** The agent's span of the run. */
  traceparent,
});
export type RunEventMessage = z.infer<typeof RunEventMessage>;

export const AgentDescription = z.object({
  version: z.string().max(64),
  hostname: z.string().max(255),
  os: z.string().max(64),
  arch: z.string().max(64),
  /** Program name to version; a program that is absent is left out. */
  tools: z.record(z.string().max(64), z.string().max(200)),
  /** Source types that the agent knows. Missing from older agents. */
  sources: z.array(z.string().max(64)).max(200).optional(),
});
export type AgentDescription = z.infer<typeof AgentDescription>;

// Requests to an agent, and their results.

/** Writes, reads back and deletes a probe object. */
const DestinationCheck = z.object({
  kind: z.literal("destination.check"),
  destination: JobDestination,
});
/**
 * Removes objects and their partial files. A missing name counts as deleted only if one of the `witnesses` is
 * found, other objects that should be in the directory. Without witnesses, the directory has to exist.
 */
const DestinationDelete = z.object({
  kind: z.literal("destination.delete"),
  destination: JobDestination,
  names: z.array(z.string()).max(1000),
  /** Left out before protocol 3. */
  witnesses: z.array(z.string()).max(10).optional(),
});
export const AgentRequest = z.discriminatedUnion("kind", [
  DestinationCheck,
  DestinationDelete,
  BackupBrowse,
  BackupSend,
]);
export type AgentRequest = z.infer<typeof AgentRequest>;

export const CheckStep = z.object({
  name: z.string(),
  ok: z.boolean(),
  message: z.string(),
  ms: z.number().nonnegative(),
});
export type CheckStep = z.infer<typeof CheckStep>;
export const DestinationCheckResult = z.object({ ok: z.boolean(), steps: z.array(CheckStep) });
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
     * Identifies the machine's boot and the agent's state directory, which only one process at a time can
     * lock. An agent with the seat of an earlier one is its successor. Missing from agents before version 3.
     */
    seat: z.string().min(1).max(128).optional(),
    /** Every run in the journal; `last_sequence` is the newest event it holds. */
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
    /** Object name without the directory. */
    name: z.string().max(1024),
    /** The last backup's size of this object, where known: decides the part size. */
    size_hint: z.number().nonnegative().nullable(),
  }),
  z.object({
    type: z.literal("upload.parts"),
    request_id: requestId,
    traceparent,
    upload_id: z.string().max(64),
    /** First part number (from 1) and how many, at most 100. */
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
    /** Name of an object of the run's backup, without the directory. */
    name: z.string().max(1024),
  }),
  z.object({
    type: z.literal("response"),
    request_id: requestId,
    ok: z.boolean(),
    result: z.unknown().optional(),
    /** One line, when `ok` is false. */
    error: z.string().max(4096).optional(),
    /** How the backup of the request is damaged, in one line. Sent only if the damage is certain. */
    damage: z.string().max(4096).optional(),
  }),
  z.object({ type: z.literal("pong") }),
]);
export type AgentMessage = z.infer<typeof AgentMessage>;

/** An order about a run that an agent holds: continue, stop and clean up, or drop its journal unsent. */
const Instruction = z.enum(["continue", "cancel", "forget"]);
export type Instruction = z.infer<typeof Instruction>;

const WelcomedRun = z.object({
  run_id: id,
  attempt,
  /** Since protocol 4. */
  instruction: Instruction.optional(),
  /** The instruction, before protocol 4. */
  verdict: Instruction.optional(),
  /** The newest event stored: resend from the next. */
  acknowledged: sequence,
}).refine(({ instruction, verdict }) => instruction !== undefined || verdict !== undefined, {
  path: ["instruction"],
  error: "is missing",
});
export type WelcomedRun = z.infer<typeof WelcomedRun>;

/** Returns the instruction for a run, under the name that the control plane's version gives it. */
export function instructionOf({ instruction, verdict }: WelcomedRun): Instruction {
  return (instruction ?? verdict)!;
}

export const ServerMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    protocol: z.number().int(),
    server_time: time,
    /** Interval of the control plane's pings. It closes a socket that is silent for three times as long. */
    heartbeat_ms: z.number().positive(),
    remote_server: z.object({ id, label: z.string() }),
    /** One for each run in `hello`. */
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
  /** Every event up to `sequence` is stored; the agent may drop them. */
  z.object({ type: z.literal("ack"), run_id: id, attempt, sequence }),
  z.object({
    type: z.literal("upload.opened"),
    request_id: requestId,
    upload_id: z.string(),
    /** Every part but the last has exactly this many bytes. */
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
    /** One line. `retryable`: the same request may succeed later. */
    message: z.string(),
    retryable: z.boolean(),
  }),
  z.object({
    type: z.literal("download.signed"),
    request_id: requestId,
    /** Valid for GET requests, with ranges, until it expires. */
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
