/** Parts of the page of a run: what the run waits for, its facts, its warnings, and the page's buttons. */
import type { Schema } from "../../../client/client.ts";
import { Confirm, Elsewhere, PostButton } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { Bytes, Count, count, counted } from "../../components/number.tsx";
import { hasEnded, KINDS, type Run } from "../../components/run.tsx";
import { ExactTime } from "../../components/time.tsx";
import type { View } from "../../view.ts";
import { lineText, type LogLine } from "./log_text.ts";

/** Says what a run waits for, until when, and what happens then. */
export function Wait({ view, wait }: { view: View; wait: Schema<"RunWait"> }) {
  if (wait.waiting_for === null) return null;
  return (
    <div class={`notice ${wait.waiting_for === "progress" ? "warn" : ""}`.trimEnd()}>
      <p>
        <Icon name="queued" />
        <strong>Why is this waiting?</strong> {wait.message}
      </p>
      {wait.runs_ahead.length === 0 ? null : (
        <p>
          First come: {wait.runs_ahead.map((id, index) => (
            <>
              {index === 0 ? "" : ", "}
              <a href={view.path(`/runs/${id}`)}>run {id}</a>
            </>
          ))}.
        </p>
      )}
      {wait.until === null ? null : (
        <p class="muted">
          It waits until <ExactTime view={view} at={wait.until} /> at most. {wait.then}
        </p>
      )}
    </div>
  );
}

const TRIGGERS: Readonly<Record<Run["trigger"], string>> = {
  manual: "a person",
  schedule: "its schedule",
  webhook: "a request with its trigger token",
};

function Link({ view, to, record }: {
  view: View;
  to: string;
  record: { readonly id: number; readonly label: string } | null;
}) {
  if (record === null) return <span class="muted">–</span>;
  return <a href={view.path(`${to}/${record.id}`)}>{record.label}</a>;
}

export function Facts({ view, run }: { view: View; run: Run }) {
  const backup = run.stored_backup_id ?? run.backup_id;
  return (
    <dl class="facts run-facts">
      <div>
        <dt>Task</dt>
        <dd>
          <Link view={view} to="/tasks" record={run.backup_task} />
        </dd>
      </div>
      <div>
        <dt>Server</dt>
        <dd>
          <Link view={view} to="/servers" record={run.remote_server} />
        </dd>
      </div>
      {run.backup_destination === null ? null : (
        <div>
          <dt>Destination</dt>
          <dd>
            <Link view={view} to="/destinations" record={run.backup_destination} />
          </dd>
        </div>
      )}
      {backup === null ? null : (
        <div>
          <dt>{run.kind === "backup" ? "Stored backup" : "Backup that it reads"}</dt>
          <dd>
            <a href={view.path(`/backups/${backup}`)}>Backup {backup}</a>
          </dd>
        </div>
      )}
      <div>
        <dt>Started by</dt>
        <dd>
          {TRIGGERS[run.trigger]}
          {run.scheduled_for === null ? null : (
            <span class="muted">
              , due <ExactTime view={view} at={run.scheduled_for} />
            </span>
          )}
        </dd>
      </div>
      {run.status === "queued" ? null : <Amounts run={run} />}
      <div>
        <dt>Warnings</dt>
        <dd>
          {run.warnings_count === 0 ? "none" : (
            <a href="#warnings">
              <Count value={run.warnings_count} />
            </a>
          )}
        </dd>
      </div>
    </dl>
  );
}

/**
 * How much data a run has read. Also how much a backup has stored, or how much a restore or drill has
 * written.
 */
function Amounts({ run: { kind, progress } }: { run: Run }) {
  return (
    <>
      <div>
        <dt>Read</dt>
        <dd>
          <Bytes value={progress.bytes_read} />
          {progress.files_count === null
            ? null
            : <span class="muted">, {count(progress.files_count)} files</span>}
        </dd>
      </div>
      {kind === "verify" ? null : (
        <div>
          <dt>{kind === "backup" ? "Stored" : "Written"}</dt>
          <dd>
            <Bytes value={progress.bytes_written} />
          </dd>
        </div>
      )}
    </>
  );
}

/** Shows the first warnings of a run. A link downloads a file with all of its warnings. */
export function Warnings({ view, run, lines }: { view: View; run: Run; lines: readonly LogLine[] }) {
  if (run.warnings_count === 0) return null;
  return (
    <section class="section" aria-labelledby="warnings">
      <header>
        <h2 id="warnings">{counted(run.warnings_count, "warning")}</h2>
        <a href={view.path(`/api/backup-task-logs/${run.id}/warnings`)} download>
          <Icon name="download" /> All warnings as text
        </a>
      </header>
      <ul class="warnings">
        {lines.map((line, index) => (
          <li key={index}>
            <span class="mono small">{lineText(view, line).replace(/^(\S+) Warning: /, "$1 ")}</span>
          </li>
        ))}
      </ul>
      {run.warnings_count > lines.length && lines.length > 0
        ? <p class="muted small">These are the first {count(lines.length)}.</p>
        : null}
    </section>
  );
}

/** The effects of cancelling a run, by its kind. */
const CANCELLATIONS: Readonly<Record<Run["kind"], string>> = {
  backup: "Nothing is stored: what was already written to the destination is removed.",
  restore: "The files that it has written are removed, and those that it replaced are put back.",
  verify: "The backup stays as it is. It is not counted as verified.",
  drill: "The backup stays as it is, and the restored copy is removed. It is not counted as proven.",
};

const MAKES_AGAIN: Readonly<Record<Run["kind"], string>> = {
  backup: "Run again",
  restore: "Restore again",
  verify: "Verify again",
  drill: "Repeat the drill",
};

export function Buttons({ view, run }: { view: View; run: Run }) {
  const about = `/runs/${run.id}`;
  if (!hasEnded(run)) {
    if (!view.may("run-backup-tasks")) return null;
    return (
      <Confirm
        view={view}
        open="Cancel"
        label={`Cancel the ${KINDS[run.kind].toLowerCase()}`}
        action={`${about}/cancel`}
      >
        <p>{CANCELLATIONS[run.kind]}</p>
      </Confirm>
    );
  }
  return (
    <>
      <Again view={view} run={run} />
      {view.may("delete-backup-tasks")
        ? (
          <Confirm
            view={view}
            open="Delete the log"
            icon="trash"
            label="Delete it for good"
            action={`${about}/delete`}
          >
            <p>
              This page and its log are gone for good: that cannot be undone.
              {run.stored_backup_id === null ? null : " The backup stays."}
            </p>
          </Confirm>
        )
        : null}
    </>
  );
}

function Again({ view, run }: { view: View; run: Run }) {
  const label = MAKES_AGAIN[run.kind];
  if (run.kind === "restore") {
    if (run.backup_id === null || !view.may("restore-backups")) return null;
    return <a class="button" href={view.path(`/restore?backup_id=${run.backup_id}`)}>{label}</a>;
  }
  const subject = run.kind === "backup" ? run.backup_task_id : run.backup_id;
  if (subject === null || !view.may("run-backup-tasks")) return null;
  const stored = run.stored_backup_id;
  return (
    <>
      {stored === null ? null : (
        <a class="button" href={view.path(`/backups/${stored}`)}>
          <Icon name="backups" /> Open the backup
        </a>
      )}
      <PostButton
        view={view}
        action={`/runs/${run.id}/again`}
        label={label}
        icon="play"
        look={stored === null ? "primary" : "quiet"}
      />
    </>
  );
}

/** The same from a shell. */
export function RunElsewhere({ run }: { run: Run }) {
  const path = `/api/backup-task-logs/${run.id}`;
  return hasEnded(run)
    ? <Elsewhere cli={`rearguard logs show ${run.id}`} api={`GET ${path}`} />
    : <Elsewhere cli={`rearguard logs show ${run.id} --follow`} api={`GET ${path}/stream`} />;
}
