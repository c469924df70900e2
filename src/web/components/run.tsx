/** Describes runs in words, and shows their progress. */
import type { Schema } from "../../client/client.ts";
import { Meter } from "./chart.tsx";
import { Bytes, percent } from "./number.tsx";
import { Status } from "./status.tsx";
import { Duration } from "./time.tsx";

export type Run = Schema<"BackupTaskLog">;

export const KINDS: Readonly<Record<Run["kind"], string>> = {
  backup: "Backup",
  restore: "Restore",
  verify: "Verification",
  drill: "Drill",
};

/** Returns what a run does, such as `Restore of Nightly`. */
export function titleOf({ kind, backup_task }: Run): string {
  return `${KINDS[kind]} of ${backup_task?.label ?? "a deleted task"}`;
}

export function hasEnded({ status }: Run): boolean {
  return status !== "queued" && status !== "running";
}

/** Shows the status of a run. For a successful run with warnings, shows `warnings`. */
export function RunStatus({ run: { status, outcome } }: { run: Run }) {
  return <Status name={status === "successful" && outcome === "warnings" ? "warnings" : status} />;
}

/** Returns which share of a run is done, from 0 to 1; null if its end cannot be estimated. */
export function shareDone({ bytes_read, bytes_per_second, eta_seconds }: Run["progress"]): number | null {
  if (bytes_per_second === null || eta_seconds === null) return null;
  const total = bytes_read + bytes_per_second * eta_seconds;
  return total === 0 ? 0 : bytes_read / total;
}

/** How far a run is, if its end can be estimated; otherwise how much it has read. */
export function RunProgress({ run: { progress } }: { run: Run }) {
  const share = shareDone(progress);
  if (share === null) {
    return (
      <span class="muted small">
        <Bytes value={progress.bytes_read} /> read
      </span>
    );
  }
  return (
    <span class="progress small">
      <Meter label={`${percent(share)} done`} share={share} />
      <span class="muted">
        <Duration ms={progress.eta_seconds! * 1000} /> left
      </span>
    </span>
  );
}
