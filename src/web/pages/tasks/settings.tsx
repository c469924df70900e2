/** The settings of a task, as names and values. */
import type { Child } from "hono/jsx";
import { Ago, Duration, ExactTime } from "../../components/time.tsx";
import { Mark } from "../../components/status.tsx";
import type { View } from "../../view.ts";
import type { BackupTask, Named } from "./records.ts";
import { TagChip } from "../../components/tag.tsx";
import { encryptionWords, everyDays, retentionWords } from "./words.ts";

interface SettingsProps {
  readonly view: View;
  readonly task: BackupTask;
  /** The scripts that its runs execute, in their order. */
  readonly scripts: readonly Named[];
  /** The notification streams that report its runs. */
  readonly streams: readonly Named[];
}

function Fact({ name, children }: { name: string; children: Child }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Links to records, separated by commas. */
function Links({ view, page, records }: { view: View; page: string; records: readonly Named[] }) {
  return (
    <>
      {records.map(({ id, label }, index) => (
        <>
          {index === 0 ? "" : ", "}
          <a key={id} href={view.path(`${page}/${id}`)}>{label}</a>
        </>
      ))}
    </>
  );
}

export function Settings({ view, task, scripts, streams }: SettingsProps) {
  const { backup_destination: destination, remote_server: server, schedule, source } = task;
  return (
    <section class="section" aria-labelledby="settings">
      <header>
        <h2 id="settings">What it does</h2>
        {view.may("update-backup-tasks")
          ? <a class="small" href={view.path(`/tasks/${task.id}/edit`)}>Edit</a>
          : null}
      </header>
      {task.description === null ? null : <p class="task-notes">{task.description}</p>}
      <dl class="facts">
        <Fact name="Backs up">
          <span class="clamp" title={source.description}>{source.description}</span>
          {task.excluded_paths.length === 0
            ? null
            : (
              <span class="muted small clamp" title={task.excluded_paths.join("\n")}>
                without {task.excluded_paths.join(", ")}
              </span>
            )}
        </Fact>
        <Fact name="Server">
          <a href={view.path(`/servers/${server.id}`)}>{server.label}</a>
        </Fact>
        <Fact name="Destination">
          <a href={view.path(`/destinations/${destination.id}`)}>{destination.label}</a>
          {task.store_path === null ? null : <span class="muted mono small clamp">{task.store_path}</span>}
        </Fact>
        <Fact name="Schedule">{schedule.description}</Fact>
        <Fact name="Next run">
          <ExactTime
            view={view}
            at={schedule.next_run_at}
            none={task.paused_at === null ? "Only by hand" : "Paused"}
          />
        </Fact>
        <Fact name="Keeps">{retentionWords(task)}</Fact>
        <Fact name="Encryption">{encryptionWords(task)}</Fact>
        <Fact name="Verified">{everyDays(task.verify_every)}</Fact>
        <Fact name="Test restores">{everyDays(task.drill_every)}</Fact>
        <Fact name="Last proven restore">
          <Ago view={view} at={task.last_proven_at} />{" "}
          {task.restore_duration_ms === null ? null : (
            <span class="muted">
              in <Duration ms={task.restore_duration_ms} />
            </span>
          )}
        </Fact>
        {task.isolated_username === null ? null : <Fact name="Runs as">{task.isolated_username}</Fact>}
        {scripts.length === 0 ? null : (
          <Fact name="Scripts">
            <Links view={view} page="/scripts" records={scripts} />
          </Fact>
        )}
        <Fact name="Alerts">
          {streams.length === 0
            ? (
              <>
                <Mark icon="warn" tone="warn" text="Nobody is told of failures" />
                {view.may("update-backup-tasks")
                  ? <a class="small" href={view.path(`/tasks/${task.id}/edit`)}>Choose who is told</a>
                  : null}
              </>
            )
            : <Links view={view} page="/alerts" records={streams} />}
        </Fact>
        {task.tags.length === 0
          ? null
          : <Fact name="Tags">{task.tags.map((tag) => <TagChip key={tag.id} view={view} tag={tag} />)}</Fact>}
      </dl>
    </section>
  );
}
