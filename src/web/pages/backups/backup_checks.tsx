/** What was done with a backup so far: verifications, drills and restores, each with its result. */
import type { Schema } from "../../../client/client.ts";
import { Status } from "../../components/status.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { Ago, Duration } from "../../components/time.tsx";
import type { View } from "../../view.ts";
import type { Backup } from "./browse.ts";

export type Check = Schema<"BackupTaskLog">;

const KINDS: Readonly<Record<string, string>> = {
  verify: "Verification",
  drill: "Test restore",
  restore: "Restore",
};

interface ChecksProps {
  readonly view: View;
  readonly backup: Backup;
  readonly checks: readonly Check[];
}

export function BackupChecks({ view, backup, checks }: ChecksProps) {
  const columns: Column<Check>[] = [
    {
      label: "What",
      kind: "main",
      cell: ({ id, kind }) => (
        <a href={view.path(kind === "restore" ? `/runs/${id}` : `/verification/${id}`)}>
          {KINDS[kind] ?? kind}
        </a>
      ),
    },
    {
      label: "Result",
      cell: ({ status, outcome }) => <Status name={outcome === "warnings" ? "warnings" : status} />,
    },
    { label: "When", kind: "number", cell: ({ created_at }) => <Ago view={view} at={created_at} /> },
    {
      label: "Took",
      kind: "number",
      cell: ({ started_at, finished_at }) => (
        <Duration
          ms={started_at === null || finished_at === null
            ? null
            : Math.max(1000, Date.parse(finished_at) - Date.parse(started_at))}
        />
      ),
    },
    { label: "Why", cell: ({ reason }) => <span class="clamp">{reason}</span> },
  ];
  return (
    <section class="section">
      <header>
        <h2>Verifications, test restores and restores</h2>
      </header>
      {checks.length === 0
        ? (
          <p class="muted">
            {backup.restore_refusal === null
              ? "None yet. A test restore proves that this backup can be restored, and removes what it wrote."
              : "None yet. A verification reads it back and compares it with its checksums."}
          </p>
        )
        : (
          <Table
            view={view}
            class="checks"
            caption="Runs that read this backup, newest first"
            columns={columns}
            rows={checks}
            keyOf={({ id }) => id}
          />
        )}
    </section>
  );
}
