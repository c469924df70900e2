/** The page `/trash`: what was deleted and can still be brought back. */
import type { Ability } from "../../../domain/abilities.ts";
import type { Schema } from "../../../client/client.ts";
import { Elsewhere, PostButton } from "../../components/form.tsx";
import { counted } from "../../components/number.tsx";
import { type Column, Empty, Pages, Table } from "../../components/table.tsx";
import { Ago, Moment } from "../../components/time.tsx";
import { addPage, addSimpleAction } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import { path, type Site } from "../../site.ts";
import { type ListPage, PageError, type View } from "../../view.ts";

type Deleted = Schema<"DeletedRecord">;
type Destination = Schema<"BackupDestination">;

interface Kind {
  readonly name: string;
  /** What bringing back a record needs. */
  readonly needs: Ability;
}

/** The kinds of deleted records, by their name in the API's paths. */
const KINDS: Readonly<Record<string, Kind>> = {
  "backup-tasks": { name: "Task", needs: "delete-backup-tasks" },
  "notification-streams": { name: "Alert stream", needs: "delete-notification-streams" },
  "scripts": { name: "Script", needs: "delete-scripts" },
  "tags": { name: "Tag", needs: "manage-tags" },
  "backup-destinations": { name: "Destination", needs: "delete-backup-destinations" },
};

/** A row of the table. */
interface Row {
  readonly kind: string;
  readonly id: number;
  readonly label: string;
  readonly deleted_at: string | null;
  readonly deletes_at: string | null;
  readonly by: string | null;
}

function rowOf({ deleted_by, ...record }: Deleted): Row {
  return { ...record, by: deleted_by?.email ?? null };
}

function destinationRow({ id, label, deletes_at }: Destination): Row {
  return {
    kind: "backup-destinations",
    id,
    label,
    deletes_at: deletes_at ?? null,
    deleted_at: null,
    by: null,
  };
}

function columnsOf(view: View): Column<Row>[] {
  return [
    { label: "Name", kind: "main", cell: ({ label }) => <span class="clamp">{label}</span> },
    { label: "Kind", cell: ({ kind }) => KINDS[kind]?.name ?? kind },
    { label: "Deleted", cell: ({ deleted_at }) => <Ago view={view} at={deleted_at} none="–" /> },
    { label: "By", kind: "wide", cell: ({ by }) => by ?? <span class="muted">–</span> },
    { label: "Kept until", cell: ({ deletes_at }) => <Moment view={view} at={deletes_at} /> },
    {
      label: "Action",
      kind: "action",
      cell: ({ id, kind, label }) =>
        KINDS[kind] !== undefined && view.may(KINDS[kind].needs)
          ? (
            <PostButton
              view={view}
              action={`/trash/${kind}/${id}/undelete`}
              label="Bring back"
              about={`Bring back ${label}`}
              icon="restore"
            />
          )
          : null,
    },
  ];
}

interface TrashProps {
  readonly view: View;
  readonly records: ListPage<Deleted>;
  readonly destinations: ListPage<Destination>;
  /** Number of backups in the trash. */
  readonly backups: number;
}

function Trash({ view, records, destinations, backups }: TrashProps) {
  const isFirst = records.page === 1;
  const rows = [...isFirst ? destinations.rows.map(destinationRow) : [], ...records.rows.map(rowOf)];
  return (
    <>
      <PageHeading
        view={view}
        title="Trash"
        lead="What is deleted can be brought back for a while, with all its settings. Then it is gone for good."
      />
      {rows.length === 0 ? <Empty title="Nothing here can be brought back." /> : (
        <Table
          view={view}
          caption="Deleted records"
          columns={columnsOf(view)}
          rows={rows}
          keyOf={({ id, kind }) => `${kind}-${id}`}
        />
      )}
      <Pages view={view} list={records} />
      {backups === 0 ? null : (
        <p>
          <a href={view.path("/backups?status=trash")}>{counted(backups, "backup")} in the trash</a>
        </p>
      )}
      <Elsewhere
        cli="rearguard trash list"
        api="GET /api/deleted-records, POST /api/backup-tasks/{id}/undelete"
      />
    </>
  );
}

export function addTrashPages(site: Site): void {
  addPage(site, "/trash", async (view) => {
    const [records, destinations, backups] = await Promise.all([
      view.list("/api/deleted-records", { query: { page: view.query("page"), per_page: 50 } }),
      view.list("/api/backup-destinations", { query: { status: "trash", per_page: 100 } }),
      view.list("/api/backups", { query: { status: "trash", per_page: 1 } }),
    ]);
    const props = { view, records, destinations, backups: backups.total };
    return { title: "Trash", content: <Trash {...props} /> };
  });
  addSimpleAction(site, "/trash/:kind/:id/undelete", {
    method: "POST",
    to(parameter) {
      const kind = parameter("kind");
      if (!Object.hasOwn(KINDS, kind)) throw new PageError(404, "There is no such kind of record.");
      return path`/api/${kind}/${parameter("id")}/undelete`;
    },
    done: (answer) => `${answer.body.data.label} is back.`,
    goTo: () => "/trash",
  });
}
