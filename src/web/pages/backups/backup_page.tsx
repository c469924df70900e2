/** The page `/backups/:id`: a backup, whether it can be trusted, and its contents. */
import { Icon } from "../../components/icon.tsx";
import { Live } from "../../components/live.tsx";
import { Bytes, Count } from "../../components/number.tsx";
import { Mark, Status } from "../../components/status.tsx";
import { Ago, Duration, ExactTime, exactTime } from "../../components/time.tsx";
import { PageHeading } from "../../shell.tsx";
import type { View } from "../../view.ts";
import { BackupButtons } from "./backup_buttons.tsx";
import { BackupChecks, type Check } from "./backup_checks.tsx";
import { BackupNotices } from "./backup_notices.tsx";
import { Databases } from "./databases.tsx";
import type { Backup, Browse, Listing } from "./browse.ts";
import { FileBrowser } from "./file_browser.tsx";
import { FilePath } from "./file_name.tsx";
import { Objects } from "./objects.tsx";

interface BackupPageProps {
  readonly view: View;
  readonly browse: Browse;
  /** Null for a backup of databases. */
  readonly listing: Listing | null;
  readonly checks: readonly Check[];
}

export function BackupPage({ view, browse, listing, checks }: BackupPageProps) {
  const { backup } = browse;
  const task = { label: "Backups", path: "/backups" };
  return (
    <>
      <PageHeading
        view={view}
        title={`Backup of ${exactTime(view, backup.created_at)}`}
        trail={[
          task,
          ...backup.backup_task === null ? [] : [{
            label: backup.backup_task.label,
            path: `/backups?backup_task_id=${backup.backup_task.id}`,
          }],
        ]}
        lead={<Origin view={view} backup={backup} />}
      >
        <BackupButtons view={view} backup={backup} />
      </PageHeading>
      <Live view={view} id="backup-state" topics={["backups"]}>
        <BackupNotices view={view} backup={backup} />
        <Facts view={view} backup={backup} />
      </Live>
      <section class="section" id="contents">
        <header>
          <h2>Contents</h2>
        </header>
        {backup.deletes_at !== null
          ? <p class="muted">Take the backup out of the trash to see its contents.</p>
          : listing === null
          ? <Databases view={view} backup={backup} checks={checks} />
          : <FileBrowser view={view} browse={browse} listing={listing} />}
      </section>
      <Live view={view} id="backup-checks" topics={["runs"]}>
        <BackupChecks view={view} backup={backup} checks={checks} />
      </Live>
      <Objects view={view} backup={backup} />
    </>
  );
}

/** The source of a backup, its server and its destination. */
function Origin({ view, backup }: { view: View; backup: Backup }) {
  const { backup_task: task, remote_server: server, backup_destination: destination } = backup;
  return (
    <>
      {task === null ? "Of a deleted task" : <a href={view.path(`/tasks/${task.id}`)}>{task.label}</a>}
      {server === null ? ", of a deleted server" : (
        <>
          {" on "}
          <a href={view.path(`/servers/${server.id}`)}>{server.label}</a>
        </>
      )}
      {" at "}
      <a href={view.path(`/destinations/${destination.id}`)}>{destination.label}</a>
      {backup.original_directory === null ? null : (
        <>
          {", from "}
          <FilePath path={backup.original_directory} />
        </>
      )}
    </>
  );
}

const ENCRYPTION = { none: "Not encrypted", password: "With a password", recipients: "To recipients" };

function Facts({ view, backup }: { view: View; backup: Backup }) {
  const { verified_at, proven_at, previous_size, size } = backup;
  return (
    <dl class="facts">
      <div>
        <dt>Verified</dt>
        <dd>
          {verified_at === null
            ? <Mark icon="none" tone="quiet" text="Not yet" />
            : (
              <span class="status good">
                <Icon name="good" />
                <span>
                  Read back <Ago view={view} at={verified_at} />
                </span>
              </span>
            )}
        </dd>
      </div>
      <div>
        <dt>Proven by a drill</dt>
        <dd>
          {proven_at === null ? <Mark icon="none" tone="quiet" text="Not yet" /> : (
            <span class="status good">
              <Icon name="verification" />
              <span>
                Restored <Ago view={view} at={proven_at} />
                {backup.drill_duration_ms === null ? null : (
                  <>
                    {" "}in <Duration ms={backup.drill_duration_ms} />
                  </>
                )}
              </span>
            </span>
          )}
        </dd>
      </div>
      <div>
        <dt>Stored size</dt>
        <dd>
          <Bytes value={size} /> <Change size={size} previous={previous_size} />
        </dd>
      </div>
      <div>
        <dt>Contents</dt>
        <dd>
          <Bytes value={backup.bytes_read} />
          {backup.files_count === null ? null : (
            <>
              {" in "}
              <Count value={backup.files_count} /> files and directories
            </>
          )}
        </dd>
      </div>
      <div>
        <dt>Run</dt>
        <dd>
          {backup.backup_task_log_id === null ? <Duration ms={backup.duration_ms} /> : (
            <>
              <Status name={backup.outcome === "warnings" ? "warnings" : "successful"} />{" "}
              <a href={view.path(`/runs/${backup.backup_task_log_id}`)}>
                in <Duration ms={backup.duration_ms} />
              </a>
            </>
          )}
        </dd>
      </div>
      <div>
        <dt>Encryption</dt>
        <dd>{ENCRYPTION[backup.encryption]}</dd>
      </div>
      {backup.held
        ? (
          <div>
            <dt>Held</dt>
            <dd>
              <Mark icon="held" tone="active" text={backup.hold_reason ?? "Until it is released"} />
              {backup.hold_ends_at === null ? null : (
                <>
                  , released: ends <ExactTime view={view} at={backup.hold_ends_at} />
                </>
              )}
            </dd>
          </div>
        )
        : null}
    </dl>
  );
}

/** The difference to the task's backup before. */
export function Change({ size, previous }: { size: number; previous: number | null }) {
  if (previous === null || size === previous) return null;
  return (
    <span class="muted number" title="Compared with the task's backup before it">
      {size > previous ? "+" : "−"}
      <Bytes value={Math.abs(size - previous)} />
    </span>
  );
}
