/** The page `/destinations`: where backups are stored. */
import { TextField } from "../../components/form.tsx";
import { Live } from "../../components/live.tsx";
import { Bytes, Count, counted } from "../../components/number.tsx";
import { type Column, Empty, Pages, Table } from "../../components/table.tsx";
import { addPage } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import { Place } from "./place.tsx";
import type { Destination } from "./record.ts";
import { SpaceLeft } from "./space.tsx";
import { Cost, FullIn, Growth } from "./usage.tsx";

function columnsOf(view: View): Column<Destination>[] {
  return [
    {
      label: "Destination",
      kind: "main",
      sort: "label",
      cell: ({ id, label }) => <a href={view.path(`/destinations/${id}`)}>{label}</a>,
    },
    { label: "Type", cell: ({ type_human }) => type_human },
    { label: "Place", cell: (destination) => <Place destination={destination} /> },
    { label: "Space", cell: (destination) => <SpaceLeft view={view} destination={destination} /> },
    { label: "Stored", kind: "number", cell: ({ usage }) => <Bytes value={usage.stored_bytes} /> },
    { label: "Backups", kind: "number", cell: ({ usage }) => <Count value={usage.backups_count} /> },
    { label: "Growth", kind: "number", cell: ({ usage }) => <Growth usage={usage} /> },
    { label: "Full in", kind: "number", cell: ({ usage }) => <FullIn usage={usage} /> },
    { label: "Cost", kind: "number", cell: (destination) => <Cost destination={destination} /> },
  ];
}

function DestinationsPage({ view, list }: { view: View; list: ListPage<Destination> }) {
  const add = view.may("create-backup-destinations")
    ? <a class="button" href={view.path("/destinations/new")}>Add a destination</a>
    : undefined;
  return (
    <>
      <PageHeading view={view} title="Destinations" lead={counted(list.total, "destination")}>
        {add}
      </PageHeading>
      <form class="filters" action={view.path("/destinations")}>
        <TextField name="search" label="Search" type="search" value={view.query("search")} />
        <button class="button quiet" type="submit">Filter</button>
      </form>
      <Live view={view} id="destinations" topics={["destinations", "backups"]}>
        {list.rows.length > 0
          ? (
            <Table
              view={view}
              caption="Destinations"
              columns={columnsOf(view)}
              rows={list.rows}
              keyOf={(destination) => destination.id}
            />
          )
          : view.query("search") !== ""
          ? (
            <Empty title="No destination matches.">
              <a href={view.path("/destinations")}>Show all</a>
            </Empty>
          )
          : (
            <Empty title="No destination yet.">
              <p class="muted">
                Add a place for backups: a directory, a bucket, an SFTP or a WebDAV server. It should not be
                on the disk that it protects.
              </p>
              {add}
            </Empty>
          )}
        <Pages view={view} list={list} />
      </Live>
    </>
  );
}

export function addDestinationsPage(site: Site): void {
  addPage(site, "/destinations", async (view) => {
    const [search, page] = [view.query("search"), view.query("page")];
    const list = await view.list("/api/backup-destinations", {
      query: { per_page: 50, sort: view.query("sort") || "label", search, page },
    });
    return { title: "Destinations", content: <DestinationsPage view={view} list={list} /> };
  });
}
