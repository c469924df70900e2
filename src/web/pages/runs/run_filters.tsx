/** The filters above the list of runs. The page's query parameters have the names that the API uses. */
import type { Schema } from "../../../client/client.ts";
import { boundariesOf } from "../../../domain/history/day_range.ts";
import { RUN_KINDS, SHOWN_STATES } from "../../../domain/run.ts";
import { Select, TextField } from "../../components/form.tsx";
import { KINDS, type Run } from "../../components/run.tsx";
import { PageError, type View } from "../../view.ts";

/** Query parameters of the page that are passed on to the API unchanged. */
const PASSED_ON = ["status", "kind", "backup_task_id", "remote_server_id", "backup_destination_id", "search"];

/** A day of the page's query, such as `2026-11-30`. */
const DAY = /^[1-9]\d{3}-\d\d-\d\d$/;

export interface RunFilter {
  readonly [name: string]: string;
}

/**
 * Returns the API's filter for the page's query. `since` and `until` can be days in the user's time zone, and
 * both days are included. A value that is not a day, such as a time, is passed on unchanged.
 */
export function filterOf(view: View): RunFilter {
  const filter = Object.fromEntries(PASSED_ON.map((name) => [name, view.query(name)]));
  return { ...filter, since: bound(view, "since", 0), until: bound(view, "until", 1) };
}

/** Returns the beginning (0) or the end (1) of the day that a parameter names. */
function bound(view: View, name: string, index: 0 | 1): string {
  const value = view.query(name);
  if (!DAY.test(value)) return value;
  if (Number.isNaN(Date.parse(value))) throw new PageError(422, `${value} is not a day.`);
  return boundariesOf({ timezone: view.user.timezone, from: value, to: value })[index]!.toISOString();
}

export function isFiltered(view: View): boolean {
  return [...PASSED_ON, "since", "until"].some((name) => view.query(name) !== "");
}

const STATUSES: Readonly<Record<Run["status"], string>> = {
  queued: "Queued",
  running: "Running",
  successful: "Successful",
  failed: "Failed",
  cancelled: "Cancelled",
};

export function StatusTabs({ view }: { view: View }) {
  const chosen = view.query("status");
  const tab = (status: string, label: string) => (
    <a
      key={status}
      href={view.with({ status, page: null })}
      aria-current={status === chosen ? "true" : undefined}
    >
      {label}
    </a>
  );
  return (
    <nav class="tabs" aria-label="Runs by status">
      {tab("", "All")}
      {SHOWN_STATES.map((status) => tab(status, STATUSES[status]))}
    </nav>
  );
}

interface FiltersProps {
  readonly view: View;
  readonly servers: readonly Schema<"RemoteServer">[];
  /** The task whose runs are shown; null if the runs of all tasks are. */
  readonly task: { readonly id: number; readonly label: string } | null;
}

export function RunFilters({ view, servers, task }: FiltersProps) {
  const kept = ["status", "backup_task_id", "backup_destination_id"].filter((name) =>
    view.query(name) !== ""
  );
  return (
    <form class="filters" action={view.path("/runs")}>
      {kept.map((name) => <input key={name} type="hidden" name={name} value={view.query(name)} />)}
      <Select
        name="kind"
        label="Kind"
        value={view.query("kind")}
        choices={[
          { value: "", label: "Every kind" },
          ...RUN_KINDS.map((kind) => ({ value: kind, label: KINDS[kind] })),
        ]}
      />
      <Select
        name="remote_server_id"
        label="Server"
        value={view.query("remote_server_id")}
        choices={[
          { value: "", label: "Every server" },
          ...servers.map(({ id, label }) => ({ value: id, label })),
        ]}
      />
      <TextField name="search" label="Task or reason" type="search" value={view.query("search")} />
      <TextField name="since" label="From" type="date" value={dayOf(view.query("since"))} />
      <TextField name="until" label="To" type="date" value={dayOf(view.query("until"))} />
      <button class="button quiet" type="submit">Filter</button>
      {isFiltered(view) ? <a class="button quiet" href={view.path("/runs")}>Show all</a> : null}
      {task === null ? null : (
        <p class="muted">
          Only runs of <a href={view.path(`/tasks/${task.id}`)}>{task.label}</a>
          {" · "}
          <a href={view.with({ backup_task_id: null, page: null })}>of every task</a>
        </p>
      )}
    </form>
  );
}

function dayOf(time: string): string {
  return DAY.test(time.slice(0, 10)) ? time.slice(0, 10) : "";
}
