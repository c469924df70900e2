/** The page `/backups`: the backups of all tasks in one table, and the trash. */
import { PostButton } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { Live } from "../../components/live.tsx";
import { Bytes } from "../../components/number.tsx";
import { Mark } from "../../components/status.tsx";
import { type Column, Empty, Pages, Table } from "../../components/table.tsx";
import { Ago, ExactTime, exactTime, relativeTime } from "../../components/time.tsx";
import { addPage } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import { Change } from "./backup_page.tsx";
import type { Backup } from "./browse.ts";
import { Filters, isFiltered, readBackups, readChoices, StatusTabs } from "./list_filters.tsx";

export function addBackupListPage(site: Site): void {
  addPage(site, "/backups", async (view) => {
    const [list, choices] = await Promise.all([readBackups(view), readChoices(view)]);
    const isTrash = view.query("status") === "trash";
    return {
      title: "Backups",
      content: (
        <>
          <PageHeading
            view={view}
            title="Backups"
            lead={isTrash ? "Deleted backups can be taken out of the trash for a while." : undefined}
          >
            <a class="button quiet" href={view.path("/backups/find")}>
              <Icon name="search" />
              Find a file
            </a>
            {view.may("restore-backups")
              ? (
                <a class="button" href={view.path("/restore")}>
                  <Icon name="restore" />
                  Restore
                </a>
              )
              : null}
          </PageHeading>
          <StatusTabs view={view} />
          <Filters view={view} choices={choices} />
          <Live view={view} id="backups" topics={["backups"]}>
            {list.total === 0 ? <NoBackups view={view} /> : <BackupTable view={view} list={list} />}
            <Pages view={view} list={list} />
          </Live>
        </>
      ),
    };
  });
}

function NoBackups({ view }: { view: View }) {
  if (isFiltered(view)) {
    return (
      <Empty title="No backup matches.">
        <a href={view.path("/backups")}>Show all backups</a>
      </Empty>
    );
  }
  const status = view.query("status");
  if (status !== "") {
    return <Empty title={status === "trash" ? "The trash is empty." : "There is no such backup."} />;
  }
  return (
    <Empty title="There is no backup yet.">
      <p class="muted">Run a task, and its backup appears here.</p>
      <a class="button" href={view.path("/tasks")}>Show the tasks</a>
    </Empty>
  );
}

function toneOf({ damaged_at, suspicious_at, incomplete, status }: Backup) {
  if (damaged_at !== null || suspicious_at !== null) return "bad" as const;
  if (incomplete) return "warn" as const;
  return status === "deleting" ? "quiet" as const : undefined;
}

function BackupTable({ view, list }: { view: View; list: ListPage<Backup> }) {
  const columns = [
    ...ORIGIN,
    ...view.query("status") === "trash" ? TRASH : STATE,
  ].map((make) => make(view));
  return (
    <Table
      view={view}
      class="backups"
      caption="Backups"
      columns={columns}
      rows={list.rows}
      keyOf={({ id }) => id}
      toneOf={toneOf}
    />
  );
}

type MakeColumn = (view: View) => Column<Backup>;

const ORIGIN: readonly MakeColumn[] = [
  (view) => ({
    label: "Backup of",
    kind: "main",
    cell: ({ id, backup_task, source_label }) => (
      <a class="line" href={view.path(`/backups/${id}`)} title={backup_task?.label}>
        {backup_task?.label ?? <span class="muted">Deleted task ({source_label})</span>}
      </a>
    ),
  }),
  (view) => ({
    label: "Server",
    class: "narrow",
    cell: ({ remote_server: server }) =>
      server === null
        ? <span class="muted">deleted</span>
        : <a class="line" href={view.path(`/servers/${server.id}`)} title={server.label}>{server.label}</a>,
  }),
  (view) => ({
    label: "Destination",
    kind: "wide",
    class: "narrow",
    cell: ({ backup_destination: { id, label } }) => (
      <a class="line" href={view.path(`/destinations/${id}`)} title={label}>{label}</a>
    ),
  }),
  (view) => ({
    label: "Age",
    kind: "number",
    sort: "created_at",
    cell: ({ created_at }) => <Ago view={view} at={created_at} />,
  }),
  () => ({ label: "Size", kind: "number", sort: "size", cell: ({ size }) => <Bytes value={size} /> }),
];

const STATE: readonly MakeColumn[] = [
  () => ({
    label: "Change",
    kind: "number",
    cell: ({ size, previous_size }) => <Change size={size} previous={previous_size} />,
  }),
  (view) => ({
    label: "Verified",
    cell: ({ verified_at }) => <Since view={view} at={verified_at} what="Verified" icon="good" />,
  }),
  (view) => ({
    label: "Proven",
    cell: ({ proven_at }) => (
      <Since view={view} at={proven_at} what="Restored in a drill" icon="verification" />
    ),
  }),
  (view) => ({ label: "State", cell: (backup) => <Marks view={view} backup={backup} /> }),
  (view) => ({
    label: "Restore",
    kind: "action",
    cell: ({ id, backup_task, deletes_at, restore_refusal }) =>
      deletes_at !== null || restore_refusal !== null || !view.may("restore-backups") ? null : (
        <a
          class="button quiet"
          href={view.path(`/restore?backup_id=${id}`)}
          aria-label={`Restore backup ${id} of ${backup_task?.label ?? "a deleted task"}`}
        >
          Restore
        </a>
      ),
  }),
];

const TRASH: readonly MakeColumn[] = [
  (view) => ({
    label: "Can be taken out until",
    cell: ({ deletes_at }) => <ExactTime view={view} at={deletes_at} />,
  }),
  (view) => ({
    label: "Take out",
    kind: "action",
    cell: ({ id, backup_task }) =>
      view.may("delete-backups")
        ? (
          <PostButton
            view={view}
            action={`/backups/${id}/undelete`}
            label="Take out"
            about={`Take out backup ${id} of ${backup_task?.label ?? "a deleted task"}`}
          />
        )
        : null,
  }),
];

interface SinceProps {
  readonly view: View;
  readonly at: string | null;
  readonly what: string;
  readonly icon: "good" | "verification";
}

/** Shows when a backup was last verified, or last restored in a drill. */
function Since({ view, at, what, icon }: SinceProps) {
  if (at === null) return <span class="muted">not yet</span>;
  return (
    <span title={`${what} ${exactTime(view, at)}`}>
      <Mark icon={icon} tone="good" text={relativeTime(view, at)} />
    </span>
  );
}

/** Marks of what is special about a backup. A backup without marks is stored, complete and not encrypted. */
function Marks({ view, backup }: { view: View; backup: Backup }) {
  const { damage_reason, suspicion, findings, hold_reason } = backup;
  const found = findings.map(({ message }) => message).join(" ");
  const isPlain = toneOf(backup) === undefined && findings.length === 0 && !backup.held && !backup.encrypted;
  if (isPlain) return null;
  return (
    <span class="backup-marks">
      {backup.damaged_at === null
        ? null
        : <span title={damage_reason ?? undefined}>{<Mark icon="bad" tone="bad" text="Damaged" />}</span>}
      {backup.suspicious_at === null
        ? null
        : <span title={suspicion ?? found}>{<Mark icon="warn" tone="bad" text="Suspicious" />}</span>}
      {backup.incomplete ? <Mark icon="warn" tone="warn" text="Incomplete" /> : null}
      {backup.suspicious_at !== null || findings.length === 0
        ? null
        : <span title={found}>{<Mark icon="warn" tone="warn" text="Anomaly" />}</span>}
      {backup.deletes_at !== null
        ? (
          <span title={exactTime(view, backup.deletes_at)}>
            {<Mark icon="trash" tone="quiet" text="Trash" />}
          </span>
        )
        : backup.status === "deleting"
        ? <Mark icon="trash" tone="quiet" text="Being deleted" />
        : null}
      {backup.held
        ? <span title={hold_reason ?? undefined}>{<Mark icon="held" tone="active" text="Held" />}</span>
        : null}
      {backup.encrypted
        ? (
          <span class="muted" title="Encrypted">
            <Icon name="security" />
            <span class="hidden">Encrypted</span>
          </span>
        )
        : null}
    </span>
  );
}
