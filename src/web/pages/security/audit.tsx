/** The page `/security/audit`: who changed what, when and from where. */
import type { RowOf } from "../../../client/client.ts";
import { Elsewhere, TextField } from "../../components/form.tsx";
import { Mark } from "../../components/status.tsx";
import { type Column, Empty, Pages, Table } from "../../components/table.tsx";
import { Moment } from "../../components/time.tsx";
import { addPage } from "../../page.tsx";
import type { Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import { SecurityFrame } from "./tabs.tsx";

type Entry = RowOf<"/api/workspaces/{id}/audit-log">;

const RESULTS = {
  done: { icon: "good", tone: "good" },
  refused: { icon: "bad", tone: "bad" },
  failed: { icon: "warn", tone: "warn" },
} as const;

function columnsOf(view: View): Column<Entry>[] {
  return [
    { label: "When", cell: ({ at }) => <Moment view={view} at={at} /> },
    {
      label: "Who",
      kind: "main",
      cell: ({ actor }) => (
        <>
          {actor.name ?? actor.type} <span class="muted small">{actor.name === null ? "" : actor.type}</span>
        </>
      ),
    },
    { label: "Action", cell: ({ action }) => action },
    {
      label: "On",
      cell: ({ resource, resource_id }) => resource === null ? "" : `${resource} ${resource_id ?? ""}`,
    },
    { label: "Fields", kind: "wide", cell: ({ fields }) => <span class="clamp">{fields.join(", ")}</span> },
    {
      label: "Result",
      cell: ({ result, reason }) => (
        <span title={reason ?? undefined}>
          <Mark {...RESULTS[result]} text={result} />
        </span>
      ),
    },
    { label: "Address", kind: "wide", cell: ({ address }) => <span class="mono">{address}</span> },
  ];
}

function AuditPage({ view, list }: { view: View; list: ListPage<Entry> }) {
  const isAll = view.query("scope") === "all" && view.user.isAdmin;
  return (
    <SecurityFrame view={view} current="/security/audit">
      <form class="filters" action={view.path("/security/audit")}>
        {isAll ? <input type="hidden" name="scope" value="all" /> : null}
        <TextField name="search" label="Search" type="search" value={view.query("search")} />
        <TextField name="since" label="From" type="date" value={view.query("since")} />
        <TextField name="until" label="To" type="date" value={view.query("until")} />
        <button class="button quiet" type="submit">Filter</button>
        {view.user.isAdmin
          ? (
            <a class="button quiet" href={view.with({ scope: isAll ? null : "all", page: null })}>
              {isAll ? "This workspace only" : "The whole installation"}
            </a>
          )
          : null}
      </form>
      {list.rows.length === 0 ? <Empty title="Nothing is recorded in that time." /> : (
        <Table
          view={view}
          caption="Audit log, the newest first"
          columns={columnsOf(view)}
          rows={list.rows}
          keyOf={(entry) => entry.id}
        />
      )}
      <Pages view={view} list={list} />
      <Elsewhere cli="rearguard audit" api={`GET /api/workspaces/${view.workspace.id}/audit-log`} />
    </SecurityFrame>
  );
}

export function addAuditPage(site: Site): void {
  addPage(site, "/security/audit", async (view) => {
    const [since, until] = [view.query("since"), view.query("until")];
    const query = {
      per_page: 50,
      page: view.query("page"),
      search: view.query("search"),
      sort: "-id",
      since: since === "" ? "" : `${since}T00:00:00Z`,
      until: until === "" ? "" : `${until}T23:59:59Z`,
    };
    const isAll = view.query("scope") === "all" && view.user.isAdmin;
    const list = isAll
      ? await view.list("/api/audit-log", { query })
      : await view.list("/api/workspaces/{id}/audit-log", { id: view.workspace.id, query });
    return { title: "Audit log", content: <AuditPage view={view} list={list} /> };
  });
}
