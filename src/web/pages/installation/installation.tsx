/** The page `/installation`: the control planes, the queue, the database and the keys, for administrators. */
import type { Child } from "hono/jsx";
import { Elsewhere } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { Live } from "../../components/live.tsx";
import { Bytes, Count } from "../../components/number.tsx";
import { Mark } from "../../components/status.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { Ago, ExactTime } from "../../components/time.tsx";
import { addPage } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Site } from "../../site.ts";
import type { View } from "../../view.ts";
import { type Installation, type Problem, problemsOf, type RecoveryKit } from "./problems.ts";

type Replica = Installation["replicas"][number];

interface InstallationProps {
  readonly view: View;
  readonly installation: Installation;
  readonly kit: RecoveryKit;
}

function InstallationPage({ view, installation, kit }: InstallationProps) {
  const { replicas, version } = installation;
  const alive = replicas.filter(({ is_alive }) => is_alive).length;
  return (
    <>
      <PageHeading
        view={view}
        title="Installation"
        lead={`Rearguard ${version}, ${alive === 1 ? "one control plane" : `${alive} control planes`}`}
      >
        <a class="button quiet" href={view.path("/installation/recovery-kit")}>Recovery kit</a>
      </PageHeading>
      <Live view={view} id="installation" topics={["runs", "servers"]}>
        <Problems view={view} problems={problemsOf(installation, kit, view.now)} />
        <section class="section" aria-labelledby="replicas">
          <header>
            <h2 id="replicas">Control planes</h2>
            <a class="small" href={view.path("/help/operate/scaling.md")}>Which one is safe to stop</a>
          </header>
          <Table
            view={view}
            caption="Control planes that share the database"
            columns={columnsOf(view)}
            rows={replicas}
            keyOf={({ id }) => id}
            toneOf={({ is_alive }) => is_alive ? undefined : "quiet"}
          />
        </section>
        <div class="columns">
          <Queue view={view} installation={installation} />
          <Database view={view} installation={installation} />
          <Keys view={view} installation={installation} kit={kit} />
        </div>
        <Loops installation={installation} />
      </Live>
      <Elsewhere cli="rearguard installation" api="GET /api/installation" />
    </>
  );
}

function Problems({ view, problems }: { view: View; problems: readonly Problem[] }) {
  if (problems.length === 0) {
    return (
      <p class="notice good">
        <Icon name="good" />
        Everything works.
      </p>
    );
  }
  return (
    <>
      {problems.map(({ tone, what, toDo, link }) => (
        <p key={what} class={`notice ${tone}`}>
          <Icon name={tone} />
          <strong>{what}</strong> {toDo}{" "}
          {link === undefined ? null : <a href={view.path(link.path)}>{link.label}</a>}
        </p>
      ))}
    </>
  );
}

function columnsOf(view: View): Column<Replica>[] {
  return [
    {
      label: "Control plane",
      kind: "main",
      cell: ({ id, is_this, name }) => (
        <>
          {name ?? <span class="mono">{id}</span>} {is_this ? <span class="muted">(answers you)</span> : null}
        </>
      ),
    },
    {
      label: "State",
      cell: ({ is_alive }) =>
        is_alive
          ? <Mark icon="good" tone="good" text="Running" />
          : <Mark icon="asleep" tone="quiet" text="Stopped" />,
    },
    { label: "Version", cell: ({ version }) => version ?? "older" },
    { label: "Started", kind: "number", cell: ({ started_at }) => <Ago view={view} at={started_at} /> },
    { label: "Heartbeat", kind: "number", cell: ({ heartbeat_at }) => <Ago view={view} at={heartbeat_at} /> },
    { label: "Agents", kind: "number", cell: ({ agents_count }) => <Count value={agents_count} /> },
    { label: "Runs", kind: "number", cell: ({ running_runs_count }) => <Count value={running_runs_count} /> },
    {
      label: "Safe to stop",
      cell: ({ is_safe_to_stop }) =>
        is_safe_to_stop
          ? <Mark icon="good" tone="good" text="Yes" />
          : <Mark icon="warn" tone="warn" text="No" />,
    },
    { label: "If it is stopped", cell: ({ stop_note }) => stop_note },
  ];
}

function Fact({ name, children }: { name: string; children: Child }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface PartProps {
  readonly view: View;
  readonly installation: Installation;
}

function Queue({ view, installation: { queue } }: PartProps) {
  const link = (path: string, value: number) => (
    <a href={view.path(path)}>
      <Count value={value} />
    </a>
  );
  return (
    <section class="section" aria-labelledby="queue">
      <h2 id="queue">Queue of all workspaces</h2>
      <dl class="facts">
        <Fact name="Running">{link("/runs?status=running", queue.running_runs_count)}</Fact>
        <Fact name="Queued">{link("/runs?status=queued", queue.queued_runs_count)}</Fact>
        <Fact name="Oldest queued">
          <Ago view={view} at={queue.oldest_queued_at} none="none" />
        </Fact>
        <Fact name="Notifications to send">{link("/alerts", queue.waiting_notifications_count)}</Fact>
        <Fact name="Backups to delete now">
          <Count value={queue.due_removals_count} />
        </Fact>
      </dl>
    </section>
  );
}

function Database({ view, installation: { database, migrations } }: PartProps) {
  return (
    <section class="section" aria-labelledby="database">
      <h2 id="database">Database</h2>
      <dl class="facts">
        <Fact name="PostgreSQL">{database.server_version}</Fact>
        <Fact name="Size">
          <Bytes value={database.size_bytes} />
        </Fact>
        <Fact name="Place">{database.place}</Fact>
        <Fact name="Migrations">{migrations.applied_count} of {migrations.expected_count}</Fact>
        <Fact name="Newest migration">
          <span title={migrations.newest}>
            <ExactTime view={view} at={migrations.newest_applied_at} />
          </span>
        </Fact>
      </dl>
    </section>
  );
}

function Keys({ view, installation: { keys }, kit }: InstallationProps) {
  const others = keys.ids.filter((id) => id !== keys.current_id);
  return (
    <section class="section" aria-labelledby="keys">
      <header>
        <h2 id="keys">Secret keys</h2>
        <a class="small" href={view.path("/help/operate/key-rotation.md")}>Key rotation</a>
      </header>
      <dl class="facts">
        <Fact name="Current key">
          <span class="mono">{keys.current_id}</span>
        </Fact>
        <Fact name="Older keys">
          {others.length === 0 ? "none" : <span class="mono">{others.join(", ")}</span>}
        </Fact>
        <Fact name="Rotation">
          {keys.rotation === null ? "none under way" : (
            <>
              to <span class="mono">{keys.rotation.new_key_id}</span>, since{" "}
              <ExactTime view={view} at={keys.rotation.started_at} />
            </>
          )}
        </Fact>
        <Fact name="Recovery kit">
          <a href={view.path("/installation/recovery-kit")}>
            {kit.kept_at === null ? "No copy is kept" : kit.is_current ? "A copy is kept" : "Out of date"}
          </a>
        </Fact>
      </dl>
    </section>
  );
}

/** The background work of the control plane that answers. */
function Loops({ installation: { loops } }: { installation: Installation }) {
  if (loops.length === 0) return null;
  return (
    <details>
      <summary>Background work of the control plane that answers you</summary>
      <dl class="facts">
        {loops.map(({ name, seconds_since_step }) => (
          <Fact key={name} name={name}>
            <span class="number">{Math.round(seconds_since_step)} s ago</span>
          </Fact>
        ))}
      </dl>
    </details>
  );
}

export function addInstallationPage(site: Site): void {
  addPage(site, "/installation", async (view) => {
    const [installation, kit] = await Promise.all([
      view.get("/api/installation"),
      view.get("/api/recovery-kit/status"),
    ]);
    const content = <InstallationPage view={view} installation={installation} kit={kit} />;
    return { title: "Installation", content };
  });
}
