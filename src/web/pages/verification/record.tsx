/** The page `/verification/:runId`: one verification or drill with its evidence, to print and to file. */
import type { Child } from "hono/jsx";
import type { Answer } from "../../../client/client.ts";
import { Elsewhere, PostButton } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { Live } from "../../components/live.tsx";
import { Bytes, Count } from "../../components/number.tsx";
import { hasEnded, KINDS, type Run, RunStatus } from "../../components/run.tsx";
import { Mark } from "../../components/status.tsx";
import { Table } from "../../components/table.tsx";
import { Duration, ExactTime, exactTime } from "../../components/time.tsx";
import { addPage } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Site } from "../../site.ts";
import { PageError, type View } from "../../view.ts";
import { limitsOf, meaningOf } from "./meaning.ts";

type Backup = Answer<"/api/backups/{id}">["data"];

interface RecordProps {
  readonly view: View;
  readonly run: Run;
  /** Null if the backup is deleted. */
  readonly backup: Backup | null;
}

function RecordPage({ view, run, backup }: RecordProps) {
  const name = run.backup_task?.label ?? "a deleted task";
  return (
    <>
      <Live view={view} id="check" topics={["runs"]}>
        <PageHeading
          view={view}
          title={`${KINDS[run.kind]} of ${name}`}
          lead={
            <span class="beside">
              <Outcome run={run} />
              <span>Run {run.id}</span>
            </span>
          }
          trail={[{ label: "Verification", path: "/verification" }]}
        >
          {hasEnded(run) && run.backup_id !== null && view.may("run-backup-tasks")
            ? (
              <PostButton
                view={view}
                action={`/runs/${run.id}/again`}
                label={run.kind === "drill" ? "Repeat the drill" : "Verify again"}
                icon="play"
                look="primary"
              />
            )
            : null}
          <a class="button quiet" href={view.path(`/runs/${run.id}`)}>Log</a>
        </PageHeading>
        <p class={`notice ${toneOf(run)}`.trimEnd()}>
          {hasEnded(run) ? <Icon name={toneOf(run) || "cancelled"} /> : null}
          {run.reason ?? meaningOf(run)}
        </p>
        <Facts view={view} run={run} backup={backup} />
        <EvidenceSection view={view} run={run} />
        <Limits run={run} backup={backup} />
      </Live>
      <p class="muted small printed">
        Printed from Rearguard, {view.workspace.name}, on{" "}
        {exactTime(view, view.now.toISOString())}. The record is run {run.id}.
      </p>
      <Elsewhere
        cli={`rearguard logs show ${run.id} --json`}
        api={`GET /api/backup-task-logs/${run.id}`}
      />
    </>
  );
}

function toneOf({ status }: Run): "good" | "bad" | "" {
  return status === "successful" ? "good" : status === "failed" ? "bad" : "";
}

function Outcome({ run }: { run: Run }) {
  if (run.status !== "successful") return <RunStatus run={run} />;
  return run.kind === "drill"
    ? <Mark icon="verification" tone="good" text="Proven restorable" />
    : <Mark icon="good" tone="good" text="Verified" />;
}

const TRIGGERS: Readonly<Record<Run["trigger"], string>> = {
  manual: "A person",
  schedule: "Its interval",
  webhook: "A request with the trigger token",
};

function Facts({ view, run, backup }: RecordProps) {
  const link = (to: string, record: { id: number; label: string } | null) =>
    record === null ? "deleted since" : <a href={view.path(`${to}/${record.id}`)}>{record.label}</a>;
  return (
    <dl class="facts">
      <Fact name="Task">{link("/tasks", run.backup_task)}</Fact>
      <Fact name="Backup">
        {run.backup_id === null
          ? "deleted since"
          : <a href={view.path(`/backups/${run.backup_id}`)}>Backup {run.backup_id}</a>}
      </Fact>
      <Fact name="Backup made">
        <ExactTime view={view} at={backup?.created_at} none="not known any more" />
      </Fact>
      <Fact name="Source">{backup?.source_label ?? "not known any more"}</Fact>
      <Fact name="Size">
        <Bytes value={backup?.size} />
      </Fact>
      <Fact name="Stored at">
        {link("/destinations", run.backup_destination ?? backup?.backup_destination ?? null)}
      </Fact>
      <Fact name={run.kind === "drill" ? "Restored on" : "Read by"}>
        {link("/servers", run.remote_server)}
      </Fact>
      <Fact name="Started by">{TRIGGERS[run.trigger]}</Fact>
      <Fact name="Started">
        <ExactTime view={view} at={run.started_at} none="not yet" />
      </Fact>
      <Fact name="Ended">
        <ExactTime view={view} at={run.finished_at} none="not yet" />
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: Child }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The numbers of what the agent compared. */
function EvidenceSection({ view, run: { evidence, kind } }: { view: View; run: Run }) {
  if (evidence === null) return null;
  const { databases, duration_ms, files_count, objects_count, read_bytes, restore_ms } = evidence;
  return (
    <section class="section" aria-labelledby="evidence">
      <h2 id="evidence">Evidence</h2>
      <dl class="facts evidence">
        {files_count === null ? null : (
          <Fact name="Files and directories compared">
            <Count value={files_count} />
          </Fact>
        )}
        {objects_count === null ? null : (
          <Fact name="Stored objects with the right size and SHA-256">
            <Count value={objects_count} />
          </Fact>
        )}
        <Fact name="Read from the destination">
          <Bytes value={read_bytes} />
        </Fact>
        {restore_ms === null ? null : (
          <Fact name="The restore alone took">
            <Duration ms={restore_ms} />
          </Fact>
        )}
        <Fact name={`The whole ${KINDS[kind].toLowerCase()} took`}>
          <Duration ms={duration_ms} />
        </Fact>
      </dl>
      {databases === null || databases.length === 0 ? null : (
        <Table
          view={view}
          caption="Databases that were restored and compared"
          columns={[
            { label: "Database", kind: "main", cell: ({ name }) => name },
            { label: "Tables", kind: "number", cell: (each) => <Count value={each.tables_count} /> },
            {
              label: "Rows",
              kind: "number",
              cell: (each) => <Count value={each.rows_count} none="not counted" />,
            },
          ]}
          rows={databases}
          keyOf={({ name }) => name}
        />
      )}
    </section>
  );
}

/** The limits of a check of this kind. */
function Limits({ run, backup }: { run: Run; backup: Backup | null }) {
  const limits = limitsOf(run, backup?.engine ?? null);
  if (limits.length === 0) return null;
  return (
    <section class="section" aria-labelledby="limits">
      <h2 id="limits">What this does not show</h2>
      <ul>{limits.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
    </section>
  );
}

export function addVerificationRecord(site: Site): void {
  addPage(site, "/verification/:runId", async (view, parameter) => {
    const id = parameter("runId");
    const run = await view.get("/api/backup-task-logs/{id}", { id, query: { output: "none" } });
    if (run.kind !== "verify" && run.kind !== "drill") {
      throw new PageError(404, `Run ${run.id} is not a verification or a drill.`);
    }
    const backup = run.backup_id === null
      ? null
      : await view.find("/api/backups/{id}", { id: run.backup_id });
    const title = `${KINDS[run.kind]} of ${run.backup_task?.label ?? "a deleted task"}`;
    return { title, content: <RecordPage view={view} run={run} backup={backup} /> };
  });
}
