/** The page `/servers`: every server, with its agent. */
import type { RowOf } from "../../../client/client.ts";
import { Select, TextField } from "../../components/form.tsx";
import { Live } from "../../components/live.tsx";
import { counted } from "../../components/number.tsx";
import { Status } from "../../components/status.tsx";
import { type Column, Empty, Pages, Table } from "../../components/table.tsx";
import { Ago } from "../../components/time.tsx";
import { addPage } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import { DayStrip, readUptimes, type Uptimes } from "./connectivity.tsx";

export type Server = RowOf<"/api/remote-servers">;

/**
 * Returns the name of the status of a server's agent. A disconnected agent of an intermittent server is
 * `asleep`.
 */
export function statusOf({ status, class: serverClass }: Server): string {
  return status.connectivity === "disconnected" && serverClass === "intermittent"
    ? "asleep"
    : status.connectivity;
}

function columnsOf(view: View, uptimes: Uptimes): Column<Server>[] {
  return [
    {
      label: "Server",
      kind: "main",
      sort: "label",
      cell: ({ id, label }) => <a href={view.path(`/servers/${id}`)}>{label}</a>,
    },
    { label: "Agent", cell: (server) => <Status name={statusOf(server)} /> },
    {
      label: "Address",
      cell: ({ connection }) => <span class="mono">{connection.ip_address}</span>,
    },
    {
      label: "Class",
      kind: "wide",
      cell: (server) => server.class === "intermittent" ? "Intermittent" : "Always on",
    },
    { label: "Version", cell: ({ agent }) => agent?.version ?? <span class="muted">no agent</span> },
    {
      label: "30 days",
      cell: ({ id, class: serverClass }) => {
        const known = uptimes.get(id);
        return known === undefined
          ? null
          : <DayStrip {...known} isIntermittent={serverClass === "intermittent"} />;
      },
    },
    {
      label: "Not protected",
      kind: "number",
      cell: ({ id, unprotected_count: number }) =>
        number === null
          ? <span class="muted" title="The agent has not looked yet">–</span>
          : number === 0
          ? "0"
          : <a href={view.path(`/servers/${id}#unprotected`)}>{number}</a>,
    },
    {
      label: "Last contact",
      kind: "number",
      sort: "last_connected_at",
      cell: ({ status }) =>
        status.connectivity === "connected" ? "now" : <Ago view={view} at={status.last_connected_at} />,
    },
  ];
}

function ServersPage({ view, list, uptimes }: { view: View; list: ListPage<Server>; uptimes: Uptimes }) {
  const add = view.may("create-remote-servers")
    ? <a class="button" href={view.path("/servers/new")}>Add a server</a>
    : undefined;
  const isFiltered = view.query("search") !== "" || view.query("status") !== "";
  return (
    <>
      <PageHeading view={view} title="Servers" lead={counted(list.total, "server")}>{add}</PageHeading>
      <form class="filters" action={view.path("/servers")}>
        <TextField name="search" label="Search" type="search" value={view.query("search")} />
        <Select
          name="status"
          label="Agent"
          value={view.query("status")}
          choices={[
            { value: "", label: "All" },
            { value: "connected", label: "Connected" },
            { value: "disconnected", label: "Disconnected" },
            { value: "unknown", label: "Never connected" },
          ]}
        />
        <button class="button quiet" type="submit">Filter</button>
      </form>
      <Live view={view} id="servers" topics={["servers"]}>
        {list.rows.length > 0
          ? (
            <Table
              view={view}
              class="servers"
              caption="Servers"
              columns={columnsOf(view, uptimes)}
              rows={list.rows}
              keyOf={(server) => server.id}
              toneOf={(server) => statusOf(server) === "disconnected" ? "bad" : undefined}
            />
          )
          : isFiltered
          ? (
            <Empty title="No server matches.">
              <a href={view.path("/servers")}>Show all</a>
            </Empty>
          )
          : (
            <Empty title="No server yet.">
              <p class="muted">Add the servers whose data you want to back up. Each runs a light agent.</p>
              {add}
            </Empty>
          )}
        <Pages view={view} list={list} />
      </Live>
    </>
  );
}

export function addServersPage(site: Site): void {
  addPage(site, "/servers", async (view) => {
    const names = ["search", "status", "page"] as const;
    const query = Object.fromEntries(names.map((name) => [name, view.query(name)]));
    const list = await view.list("/api/remote-servers", {
      query: { per_page: 50, sort: view.query("sort") || "label", ...query },
    });
    const uptimes = await readUptimes(view, list.rows);
    return { title: "Servers", content: <ServersPage view={view} list={list} uptimes={uptimes} /> };
  });
}
