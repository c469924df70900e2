/** The filters above the list of backups. */
import { addDays, boundariesOf } from "../../../domain/history/day_range.ts";
import { type Choice, Select, TextField } from "../../components/form.tsx";
import type { ListPage, View } from "../../view.ts";
import type { Backup } from "./browse.ts";

/** The query parameters that the page passes on to the API as they are. */
const FILTERS = ["status", "search", "backup_task_id", "remote_server_id", "backup_destination_id"] as const;
const DAYS = ["from", "to"] as const;

/** Number of backups on one page. */
const PER_PAGE = 50;

/** Reads the backups that the page's address asks for, the newest first. */
export function readBackups(view: View): Promise<ListPage<Backup>> {
  const filters = Object.fromEntries([...FILTERS, "page"].map((name) => [name, view.query(name)]));
  return view.list("/api/backups", {
    query: {
      ...filters,
      since: startOf(view, view.query("from"), 0),
      until: startOf(view, view.query("to"), 1),
      per_page: PER_PAGE,
      sort: view.query("sort") || "-created_at",
    },
  });
}

/**
 * Returns when a day starts in the user's time zone. The day is `days` days after `date`. Returns null if
 * `date` is not a date.
 */
export function startOf(view: View, date: string, days: number): string | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || Number.isNaN(Date.parse(date))) return null;
  const day = addDays(date, days);
  const [start] = boundariesOf({ timezone: view.user.timezone, from: day, to: day });
  return start?.toISOString() ?? null;
}

export function isFiltered(view: View): boolean {
  return [...FILTERS, ...DAYS].some((name) => name !== "status" && view.query(name) !== "");
}

const TABS = [
  { name: "", label: "All" },
  { name: "unverified", label: "Not verified" },
  { name: "suspicious", label: "Suspicious" },
  { name: "damaged", label: "Damaged" },
  { name: "held", label: "Held" },
  { name: "deleting", label: "Being deleted" },
  { name: "trash", label: "Trash" },
];

export function StatusTabs({ view }: { view: View }) {
  const chosen = view.query("status");
  return (
    <nav class="tabs" aria-label="Backups by status">
      {TABS.map(({ name, label }) => (
        <a
          key={name}
          href={view.with({ status: name, page: null })}
          aria-current={chosen === name ? "true" : undefined}
        >
          {label}
        </a>
      ))}
    </nav>
  );
}

export interface FilterChoices {
  readonly servers: readonly Choice[];
  readonly destinations: readonly Choice[];
  /** Label of the task whose backups are listed; null without one. */
  readonly task: string | null;
}

export async function readChoices(view: View): Promise<FilterChoices> {
  const query = { per_page: 100, sort: "label" };
  const id = view.query("backup_task_id");
  const [servers, destinations, task] = await Promise.all([
    view.list("/api/remote-servers", { query }),
    view.list("/api/backup-destinations", { query }),
    id === "" ? null : view.find("/api/backup-tasks/{id}", { id }),
  ]);
  const choices = ({ rows }: ListPage<{ id: number; label: string }>) =>
    rows.map(({ id, label }) => ({ value: id, label }));
  return {
    servers: choices(servers),
    destinations: choices(destinations),
    task: id === "" ? null : task?.label ?? "a deleted task",
  };
}

/** The form with the filters. Sending the form does not change the chosen status, order and task. */
export function Filters({ view, choices }: { view: View; choices: FilterChoices }) {
  const kept = ["status", "sort", "backup_task_id"].filter((name) => view.query(name) !== "");
  const select = (name: string, label: string, all: string, records: readonly Choice[]) => (
    <Select
      name={name}
      label={label}
      value={view.query(name)}
      choices={[{ value: "", label: all }, ...records]}
    />
  );
  return (
    <form class="filters" action={view.path("/backups")} role="search" aria-label="Filter the backups">
      {kept.map((name) => <input key={name} type="hidden" name={name} value={view.query(name)} />)}
      <TextField
        name="search"
        label={choices.task === null ? "Task" : `Only of ${choices.task}`}
        type="search"
        value={view.query("search")}
      />
      {select("remote_server_id", "Server", "All servers", choices.servers)}
      {select("backup_destination_id", "Destination", "All destinations", choices.destinations)}
      <TextField name="from" label="From" type="date" value={view.query("from")} />
      <TextField name="to" label="To" type="date" value={view.query("to")} />
      <button class="button quiet" type="submit">Filter</button>
      {isFiltered(view)
        ? (
          <a class="button quiet" href={view.path(`/backups?${status(view)}`)}>
            Clear
          </a>
        )
        : null}
    </form>
  );
}

function status(view: View): URLSearchParams {
  const chosen = view.query("status");
  return new URLSearchParams(chosen === "" ? {} : { status: chosen });
}
