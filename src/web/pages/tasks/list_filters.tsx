/** The filters above the list of tasks. The page's query parameters have the names that the API uses. */
import { PROTECTION_STATUSES, type ProtectionStatus } from "../../../domain/protection.ts";
import { type Choice, Select, TextField } from "../../components/form.tsx";
import { count } from "../../components/number.tsx";
import type { ListPage, View } from "../../view.ts";
import type { BackupTask, Named } from "./records.ts";
import { KINDS } from "./words.ts";

/** The query parameters that the page passes on to the API's list of tasks. */
const FILTERS = [
  "protection",
  "status",
  "search",
  "type",
  "remote_server_id",
  "backup_destination_id",
  "tag_id",
] as const;

/** Number of tasks on one page. */
const PER_PAGE = 30;

/** Reads the tasks that the page's address selects. If the address names no order, the worst come first. */
export function readTasks(view: View): Promise<ListPage<BackupTask>> {
  const filters = Object.fromEntries([...FILTERS, "page"].map((name) => [name, view.query(name)]));
  return view.list("/api/backup-tasks", {
    query: { ...filters, per_page: PER_PAGE, sort: view.query("sort") || "protection" },
  });
}

export function isFiltered(view: View): boolean {
  return FILTERS.some((name) => view.query(name) !== "");
}

/** The records among which the filters choose. */
export interface FilterChoices {
  readonly servers: readonly Named[];
  readonly destinations: readonly Named[];
  readonly tags: readonly Named[];
}

export async function readChoices(view: View): Promise<FilterChoices> {
  const [servers, destinations, tags] = await Promise.all([
    readAll(view, "/api/remote-servers"),
    readAll(view, "/api/backup-destinations"),
    readAll(view, "/api/tags"),
  ]);
  return { servers, destinations, tags };
}

/** Maximum number of pages that are read from a list. A filter offers only the records of these pages. */
const CHOICE_PAGES = 5;

/** Reads the records of a list, ordered by label. Reads at most 500 records. */
async function readAll(
  view: View,
  path: "/api/remote-servers" | "/api/backup-destinations" | "/api/tags",
): Promise<Named[]> {
  const page = (page: number) => view.list(path, { query: { page, per_page: 100, sort: "label" } });
  const first = await page(1);
  const others = Math.max(0, Math.min(first.pages, CHOICE_PAGES) - 1);
  const rest = await Promise.all(Array.from({ length: others }, (_, index) => page(index + 2)));
  return [first, ...rest].flatMap(({ rows }) => rows);
}

const STATUS_TABS: Readonly<Record<ProtectionStatus, string>> = {
  never_backed_up: "No backup",
  late: "Late",
  failing: "Failing",
  paused: "Paused",
  protected: "Protected",
};

/** Tabs by status, each with its number of tasks. A status without tasks has a tab only if it is chosen. */
export function StatusTabs(
  { view, counts, running }: {
    view: View;
    counts: Readonly<Record<string, number>>;
    running: number;
  },
) {
  const chosen = view.query("protection") || view.query("status");
  const total = Object.values(counts).reduce((sum, each) => sum + each, 0);
  const tab = (name: string, label: string, number: number, query: Record<string, string | null>) => (
    <a
      key={name}
      href={view.with({ protection: null, status: null, page: null, ...query })}
      aria-current={chosen === name ? "true" : undefined}
    >
      {label} <span class="muted number">{count(number)}</span>
    </a>
  );
  return (
    <nav class="tabs" aria-label="Tasks by status">
      {tab("", "All", total, {})}
      {PROTECTION_STATUSES.filter((name) => counts[name] || name === chosen)
        .map((name) => tab(name, STATUS_TABS[name], counts[name] ?? 0, { protection: name }))}
      {running > 0 || chosen === "running" ? tab("running", "Running", running, { status: "running" }) : null}
    </nav>
  );
}

function choicesOf(all: string, records: readonly Named[]): Choice[] {
  return [{ value: "", label: all }, ...records.map(({ id, label }) => ({ value: id, label }))];
}

/**
 * The form with all filters except the status, which the tabs select. The form keeps the selected status and
 * the order.
 */
export function Filters({ view, choices }: { view: View; choices: FilterChoices }) {
  const kept = ["protection", "status", "sort"].filter((name) => view.query(name) !== "");
  const select = (name: string, label: string, all: string, records: readonly Named[]) =>
    records.length === 0
      ? null
      : <Select name={name} label={label} value={view.query(name)} choices={choicesOf(all, records)} />;
  return (
    <form class="filters compact" action={view.path("/tasks")} role="search" aria-label="Filter the tasks">
      {kept.map((name) => <input key={name} type="hidden" name={name} value={view.query(name)} />)}
      <TextField
        name="search"
        label="Search"
        type="search"
        value={view.query("search")}
        placeholder="Search names, notes"
      />
      {select("remote_server_id", "Server", "All servers", choices.servers)}
      {select("backup_destination_id", "Destination", "All destinations", choices.destinations)}
      {select("tag_id", "Tag", "All tags", choices.tags)}
      <Select
        name="type"
        label="Source"
        value={view.query("type")}
        choices={[{ value: "", label: "All sources" }, ...KINDS]}
      />
      <button class="button quiet" type="submit">Filter</button>
      {isFiltered(view) ? <a class="button quiet" href={view.path("/tasks")}>Clear</a> : null}
    </form>
  );
}
