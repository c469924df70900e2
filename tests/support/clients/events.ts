/** Builds an agent's events. */
import type { RunEvent, RunEventMessage, Verdict } from "../../../src/protocol/wire_messages.ts";
import type { ReportedEvent } from "../../../src/services/runs/run_events.ts";

export function event(
  serverId: number,
  run: { runId: number; attempt: number },
  sequence: number,
  event: RunEvent,
): ReportedEvent {
  const message: RunEventMessage = {
    type: "run.event",
    run_id: run.runId,
    attempt: run.attempt,
    sequence,
    at: "2026-01-01T00:00:00.000Z",
    event,
  };
  return { remoteServerId: serverId, message };
}

export const output = (text: string): RunEvent => ({ kind: "output", text });

export function success(overrides: Partial<Verdict & { outcome: "succeeded" }> = {}): RunEvent {
  const sha256 = "a".repeat(64);
  return {
    kind: "finished",
    verdict: {
      outcome: "succeeded",
      warnings_count: 0,
      backup: {
        objects: [
          { role: "archive", name: "backup_1.tar.zst", size: 10, sha256, database: null },
          { role: "manifest", name: "backup_1.manifest.json", size: 2, sha256, database: null },
        ],
        size: 10,
        bytes_read: 100,
        files_count: 3,
        engine: "tar",
        encrypted: false,
        tools: {},
        duration_ms: 5,
      },
      ...overrides,
    },
  };
}

export function failure(reason: string, leftovers: string[] = []): RunEvent {
  return { kind: "finished", verdict: { outcome: "failed", warnings_count: 1, reason, leftovers } };
}
