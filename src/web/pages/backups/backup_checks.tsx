/** The history of a backup: verifications, drills and restores, each with its result. */
import type { Schema } from "../../../client/client.ts";
import { formatBytes } from "../../../domain/byte_size.ts";
import { counted } from "../../components/number.tsx";
import { Status } from "../../components/status.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { Ago, Duration } from "../../components/time.tsx";
import type { View } from "../../view.ts";
import type { Backup } from "./browse.ts";
import { visibleName } from "./file_name.tsx";

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
      cell: ({ id, kind }) => <a href={view.path(`/runs/${id}`)}>{KINDS[kind] ?? kind}</a>,
    },
    {
      label: "Result",
      cell: ({ status, outcome }) => <Status name={outcome === "warnings" ? "warnings" : status} />,
    },
    { label: "When", kind: "number", cell: ({ created_at }) => <Ago view={view} at={created_at} /> },
    {
      label: "Took",
      kind: "number",
      cell: ({ started_at, finished_at, evidence }) => (
        <Duration
          ms={evidence !== null
            ? evidence.duration_ms
            : started_at === null || finished_at === null
            ? null
            : Math.max(1000, Date.parse(finished_at) - Date.parse(started_at))}
        />
      ),
    },
    {
      label: "What it has shown",
      cell: (check) => <span class="clamp">{check.reason ?? shownBy(check)}</span>,
    },
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

/**
 * Says in words what a successful run has shown about the backup. Returns null if the run has shown nothing,
 * or if the run's agent is too old to report what it has shown.
 */
function shownBy({ kind, evidence, restored }: Check): string | null {
  if (evidence === null) {
    return restored === null || restored.targets[0] === undefined
      ? null
      : `Written to ${visibleName(restored.targets[0])}${
        restored.targets_count > 1 ? ` and ${counted(restored.targets_count - 1, "more place")}` : ""
      }`;
  }
  const { files_count: files, databases, objects_count: objects, is_opened, read_bytes } = evidence;
  const tables = databases?.reduce((sum, { tables_count }) => sum + tables_count, 0) ?? 0;
  const rows = databases?.reduce((sum, { rows_count }) => sum + (rows_count ?? 0), 0) ?? 0;
  const compared = [
    objects === null ? [] : [counted(objects, "stored file")],
    files === null ? [] : [counted(files, "file or directory", "files and directories")],
    databases === null
      ? []
      : [counted(databases.length, "database"), counted(tables, "table"), counted(rows, "row")],
  ].flat();
  const what = compared.length === 0 ? formatBytes(read_bytes) : compared.join(", ");
  if (!is_opened) return `${what}: sizes and SHA-256 are right; the control plane has no key to open them`;
  return `${what} ${kind === "drill" ? "restored and compared" : "read back and compared"}`;
}
