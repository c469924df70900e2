/** The page of one server. */
import { REMOTE_SERVER_FIELDS } from "../../../definitions/remote_server_fields.ts";
import type { RowOf } from "../../../client/client.ts";
import { Confirm, Elsewhere, FormFields, PostButton } from "../../components/form.tsx";
import { recordBody, typedValues } from "../../components/record_form.tsx";
import { Status } from "../../components/status.tsx";
import { type Column, Empty, Table } from "../../components/table.tsx";
import { Ago, Moment } from "../../components/time.tsx";
import { addAction, addPage, addSimpleAction, type PageContent, refused } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import { path, type Site } from "../../site.ts";
import type { View } from "../../view.ts";
import { AgentState } from "./agent_state.tsx";
import { type Connectivity, ConnectivitySection } from "./connectivity.tsx";
import { ServerFields } from "./new_server.tsx";
import { addUnprotectedActions, type Inventory, UnprotectedSection } from "./unprotected.tsx";
import type { Server } from "./servers.tsx";

type Task = RowOf<"/api/backup-tasks">;

interface ServerProps {
  readonly view: View;
  readonly server: Server;
  readonly tasks: readonly Task[];
  readonly connectivity: Connectivity;
  readonly inventory: Inventory;
}

function ServerPage({ view, server, tasks, connectivity, inventory }: ServerProps) {
  const { agent, id, label } = server;
  return (
    <>
      <PageHeading view={view} title={label} trail={[{ label: "Servers", path: "/servers" }]}>
        <Buttons view={view} server={server} />
      </PageHeading>
      <AgentState view={view} server={server} />
      <dl class="facts">
        <Fact name="Address">
          <span class="mono">{server.connection.ip_address}</span>
        </Fact>
        <Fact name="Class">
          {server.class === "intermittent" ? "Intermittent, such as a laptop" : "Always on"}
        </Fact>
        <Fact name="Backups at once">{String(server.runs_at_once)}</Fact>
        <Fact name="System">{agent === null ? "not known yet" : `${agent.os} ${agent.arch}`}</Fact>
        <Fact name="Agent">{agent === null ? "none" : agent.version}</Fact>
        <Fact name="Added">
          <Moment view={view} at={server.created_at} />
        </Fact>
      </dl>
      <section class="section" aria-labelledby="tasks">
        <header>
          <h2 id="tasks">Tasks</h2>
          <a class="small" href={view.path(`/tasks?remote_server_id=${id}`)}>All tasks of this server</a>
        </header>
        {tasks.length === 0
          ? (
            <Empty title="Nothing on this server is backed up.">
              {view.may("create-backup-tasks")
                ? <a class="button" href={view.path(`/tasks/new?remote_server_id=${id}`)}>Add a task</a>
                : null}
            </Empty>
          )
          : (
            <Table
              view={view}
              caption={`Tasks of ${label}`}
              columns={taskColumns(view)}
              rows={tasks}
              keyOf={(task) => task.id}
            />
          )}
      </section>
      <UnprotectedSection view={view} server={server} inventory={inventory} />
      <ConnectivitySection
        view={view}
        connectivity={connectivity}
        isIntermittent={server.class === "intermittent"}
      />
      {agent === null ? null : <Tools tools={agent.tools} />}
      <Elsewhere cli={`rearguard servers show ${id}`} api={`GET /api/remote-servers/${id}`} />
    </>
  );
}

function Fact({ name, children }: { name: string; children: unknown }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Buttons({ view, server: { id, label, agent } }: { view: View; server: Server }) {
  return (
    <>
      {view.may("create-backup-tasks")
        ? <a class="button" href={view.path(`/tasks/new?remote_server_id=${id}`)}>Add a task</a>
        : null}
      {view.may("update-remote-servers")
        ? (
          <>
            <PostButton
              view={view}
              action={`/servers/${id}/install`}
              label={agent === null ? "Install the agent" : "Install the agent anew"}
            />
            <a class="button quiet" href={view.path(`/servers/${id}/edit`)}>Edit</a>
            {agent === null ? null : (
              <Confirm
                view={view}
                open="Revoke the agent"
                action={`/servers/${id}/revoke`}
                label="Revoke the agent's key"
              >
                <p>The agent is disconnected and cannot connect again. Runs on {label} end. Backups stay.</p>
              </Confirm>
            )}
          </>
        )
        : null}
      {view.may("delete-remote-servers")
        ? (
          <Confirm
            view={view}
            open="Delete"
            icon="trash"
            action={`/servers/${id}/delete`}
            label="Delete the server"
          >
            <p>{label} is removed from the list. A server that tasks still use is not deleted.</p>
          </Confirm>
        )
        : null}
    </>
  );
}

function taskColumns(view: View): Column<Task>[] {
  return [
    {
      label: "Task",
      kind: "main",
      cell: ({ id, label }) => <a href={view.path(`/tasks/${id}`)}>{label}</a>,
    },
    { label: "Status", cell: ({ protection }) => <Status name={protection.status} /> },
    { label: "Schedule", cell: ({ schedule }) => schedule.description },
    {
      label: "Newest backup",
      kind: "number",
      cell: ({ protection }) => <Ago view={view} at={protection.newest_backup_at} />,
    },
  ];
}

/** The programs that the agent has found. */
function Tools({ tools }: { tools: Readonly<Record<string, string>> }) {
  return (
    <details>
      <summary>Programs that the agent has found: {Object.keys(tools).join(", ")}</summary>
      <dl class="facts">
        {Object.entries(tools).map(([name, version]) => <Fact key={name} name={name}>{version}</Fact>)}
      </dl>
    </details>
  );
}

function editPage(
  view: View,
  server: Server,
  typed?: { values: Readonly<Record<string, unknown>>; errors: Readonly<Record<string, string>> },
): PageContent {
  const { connection, ...rest } = server;
  const stored = { ...rest, ...connection, has_database_password: connection.is_database_password_set };
  return {
    title: `Edit ${server.label}`,
    status: typed === undefined ? 200 : 422,
    content: (
      <>
        <PageHeading
          view={view}
          title={`Edit ${server.label}`}
          trail={[{ label: "Servers", path: "/servers" }, {
            label: server.label,
            path: `/servers/${server.id}`,
          }]}
        />
        <form class="form-wide" method="post" action={view.path(`/servers/${server.id}/edit`)}>
          <FormFields view={view} />
          <ServerFields values={{ ...stored, ...typed?.values }} errors={typed?.errors} />
          <p class="buttons">
            <button class="button" type="submit">Save</button>
            <a class="button quiet" href={view.path(`/servers/${server.id}`)}>Cancel</a>
          </p>
        </form>
      </>
    ),
  };
}

export function addServerPages(site: Site): void {
  addUnprotectedActions(site);
  addPage(site, "/servers/:id", async (view, parameter) => {
    const id = parameter("id");
    const [server, { rows: tasks }, connectivity, inventory] = await Promise.all([
      view.get("/api/remote-servers/{id}", { id }),
      view.list("/api/backup-tasks", { query: { remote_server_id: id, per_page: 50 } }),
      view.get("/api/remote-servers/{id}/connectivity", { id }),
      view.answer("/api/remote-servers/{id}/unprotected", { id }),
    ]);
    const props = { view, server, tasks, connectivity, inventory };
    return { title: server.label, content: <ServerPage {...props} /> };
  });
  addPage(
    site,
    "/servers/:id/edit",
    async (view, parameter) =>
      editPage(view, await view.get("/api/remote-servers/{id}", { id: parameter("id") })),
  );
  addAction(site, "/servers/:id/edit", async (view, form, parameter) => {
    const id = parameter("id");
    const body = recordBody(REMOTE_SERVER_FIELDS, form);
    const answer = await view.call("PUT", path`/api/remote-servers/${id}`, {
      body,
      csrf: form.text("csrf_token"),
    });
    if (answer.status === 200) return { goTo: path`/servers/${id}`, done: "The server is changed." };
    if (answer.status !== 422) return refused(view, form, answer);
    const values = typedValues(REMOTE_SERVER_FIELDS, form);
    return editPage(view, await view.get("/api/remote-servers/{id}", { id }), {
      values,
      errors: answer.errors,
    });
  });
  addSimpleAction(site, "/servers/:id/revoke", {
    method: "DELETE",
    to: (parameter) => path`/api/remote-servers/${parameter("id")}/agent`,
    done: "The agent's key is revoked.",
  });
  addSimpleAction(site, "/servers/:id/delete", {
    method: "DELETE",
    to: (parameter) => path`/api/remote-servers/${parameter("id")}`,
    done: "The server is deleted.",
    goTo: () => "/servers",
  });
}
