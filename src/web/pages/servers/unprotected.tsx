/** The list of things on a server that no task covers. */
import type { Answer } from "../../../client/client.ts";
import { PostButton } from "../../components/form.tsx";
import { Bytes, counted } from "../../components/number.tsx";
import { Mark } from "../../components/status.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { Ago } from "../../components/time.tsx";
import { addSimpleAction } from "../../page.tsx";
import { path, type Site } from "../../site.ts";
import type { View } from "../../view.ts";
import type { Server } from "./servers.tsx";

export type Inventory = Answer<"/api/remote-servers/{id}/unprotected">;
type Item = Inventory["data"][number];

const KINDS: Readonly<Record<Item["kind"], string>> = {
  database: "Database",
  docker_volume: "Docker volume",
  file_system: "File system",
  directory: "Directory",
};

interface UnprotectedProps {
  readonly view: View;
  readonly server: Server;
  readonly inventory: Inventory;
}

export function UnprotectedSection({ view, server, inventory }: UnprotectedProps) {
  const { data, inventoried_at, notes, unprotected_count } = inventory;
  if (server.agent === null) return null;
  const open = data.filter(({ is_dismissed }) => !is_dismissed);
  const dismissed = data.filter(({ is_dismissed }) => is_dismissed);
  return (
    <section class="section" aria-labelledby="unprotected">
      <header>
        <h2 id="unprotected">Not protected</h2>
        <span class="beside muted small">
          {inventoried_at === null
            ? "The agent has not looked yet. It does so soon after it first connects."
            : (
              <span>
                The agent looked <Ago view={view} at={inventoried_at} />
              </span>
            )}
          {view.may("update-remote-servers")
            ? <PostButton view={view} action={`/servers/${server.id}/inventory`} label="Look again" />
            : null}
        </span>
      </header>
      {inventoried_at === null ? null : unprotected_count === 0
        ? (
          <p>
            <Mark icon="good" tone="good" text="Everything that the agent has seen is backed up." />
          </p>
        )
        : <Items view={view} server={server} items={open} caption="Not protected" />}
      {notes.map((note) => <p key={note} class="muted small">{note}</p>)}
      {dismissed.length === 0 ? null : (
        <details>
          <summary>{counted(dismissed.length, "thing")} that need no backup</summary>
          <Items view={view} server={server} items={dismissed} caption="Need no backup" />
        </details>
      )}
    </section>
  );
}

interface ItemsProps {
  readonly view: View;
  readonly server: Server;
  readonly items: readonly Item[];
  readonly caption: string;
}

function Items({ view, server, items, caption }: ItemsProps) {
  const columns: Column<Item>[] = [
    {
      label: "What",
      kind: "main",
      cell: ({ name, path }) => (
        <span class="clamp">
          {name} {path === null || path === name ? null : <span class="muted mono">{path}</span>}
        </span>
      ),
    },
    {
      label: "Kind",
      cell: ({ kind, database_type }) =>
        database_type === null ? KINDS[kind] : `${KINDS[kind]} (${database_type})`,
    },
    { label: "Size", kind: "number", cell: ({ size }) => <Bytes value={size} /> },
    {
      label: "Note",
      cell: ({ is_partly_protected }) => is_partly_protected ? "A task backs up a part of it" : "",
    },
    {
      label: "Action",
      kind: "action",
      cell: (item) => <Actions view={view} server={server} item={item} />,
    },
  ];
  return (
    <Table
      view={view}
      caption={caption}
      columns={columns}
      rows={items}
      keyOf={({ id }) => encodeURIComponent(id)}
    />
  );
}

function Actions({ view, server, item }: { view: View; server: Server; item: Item }) {
  const query = new URLSearchParams({ remote_server_id: String(server.id), ...item.prefill });
  const verb = item.is_dismissed ? "undismiss" : "dismiss";
  return (
    <span class="buttons">
      {view.may("create-backup-tasks") && !item.is_dismissed
        ? (
          <a class="button quiet" href={view.path(`/tasks/new?${query}`)} aria-label={`Back up ${item.name}`}>
            Back up
          </a>
        )
        : null}
      {view.may("update-remote-servers")
        ? (
          <PostButton
            view={view}
            action={`/servers/${server.id}/unprotected/${verb}`}
            label={item.is_dismissed ? "Needed after all" : "Not needed"}
            about={`${item.name}: ${
              item.is_dismissed ? "a backup is needed after all" : "no backup is needed"
            }`}
            fields={{ item: item.id }}
          />
        )
        : null}
    </span>
  );
}

export function addUnprotectedActions(site: Site): void {
  const api = (parameter: (name: string) => string) => path`/api/remote-servers/${parameter("id")}`;
  addSimpleAction(site, "/servers/:id/inventory", {
    method: "POST",
    to: (parameter) => `${api(parameter)}/inventory`,
    done: "The agent has looked again.",
  });
  for (const verb of ["dismiss", "undismiss"]) {
    addSimpleAction(site, `/servers/:id/unprotected/${verb}`, {
      method: "POST",
      to: (parameter) => `${api(parameter)}/unprotected/${verb}`,
      body: (form) => ({ ids: [form.text("item")] }),
      done: verb === "dismiss" ? "It is no longer listed as not protected." : "It is listed again.",
    });
  }
}
