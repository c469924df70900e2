/** The stored objects of a backup, to download. */
import { Icon } from "../../components/icon.tsx";
import { Bytes } from "../../components/number.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { path } from "../../site.ts";
import type { View } from "../../view.ts";
import type { Backup } from "./browse.ts";
import { FilePath } from "./file_name.tsx";

type StoredObject = Backup["objects"][number];

const ROLES = { archive: "Archive", index: "List of its files", manifest: "Description" };

export function Objects({ view, backup }: { view: View; backup: Backup }) {
  const columns: Column<StoredObject>[] = [
    { label: "Name", kind: "main", cell: ({ name }) => <FilePath path={name} /> },
    { label: "What", cell: ({ role }) => ROLES[role] },
    { label: "Size", kind: "number", cell: ({ size }) => <Bytes value={size} /> },
    { label: "SHA-256", kind: "wide", cell: ({ sha256 }) => <code class="clamp">{sha256}</code> },
    {
      label: "Download",
      kind: "action",
      cell: ({ name }) =>
        view.may("restore-backups")
          ? (
            <a
              class="button quiet"
              download
              aria-label={`Download ${name}`}
              href={view.path(
                path`/api/backups/${backup.id}/download` + `?${new URLSearchParams({ object: name })}`,
              )}
            >
              <Icon name="download" />
            </a>
          )
          : null,
    },
  ];
  return (
    <details class="section">
      <summary>
        <h2 class="inline">Stored files</h2>{" "}
        <span class="muted">
          in <FilePath path={backup.directory === "" ? "/" : backup.directory} />
        </span>
      </summary>
      <Table
        view={view}
        caption="Stored files of the backup"
        columns={columns}
        rows={backup.objects}
        keyOf={({ name }) => name}
      />
    </details>
  );
}
