/** The buttons beside a task's name. */
import { Elsewhere, FormFields, PostButton } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { Bytes, counted } from "../../components/number.tsx";
import type { View } from "../../view.ts";
import type { BackupTask } from "./records.ts";

export function TaskButtons({ view, task }: { view: View; task: BackupTask }) {
  const { id, paused_at, status } = task;
  const isRunning = status === "running";
  return (
    <>
      {view.may("run-backup-tasks") && isRunning
        ? <PostButton view={view} action={`/tasks/${id}/cancel`} label="Cancel the run" icon="cancelled" />
        : null}
      {view.may("run-backup-tasks") && !isRunning && paused_at === null
        ? <PostButton view={view} action={`/tasks/${id}/run`} label="Run now" icon="play" look="primary" />
        : null}
      {view.may("pause-backup-tasks")
        ? paused_at === null
          ? <PostButton view={view} action={`/tasks/${id}/pause`} label="Pause" icon="paused" />
          : <PostButton view={view} action={`/tasks/${id}/resume`} label="Resume" icon="play" />
        : null}
      {view.may("update-backup-tasks")
        ? <a class="button quiet" href={view.path(`/tasks/${id}/edit`)}>Edit</a>
        : null}
      {view.may("delete-backup-tasks") ? <DeleteTask view={view} task={task} /> : null}
    </>
  );
}

/** Says what happens to the backups before the task is deleted. */
function DeleteTask({ view, task }: { view: View; task: BackupTask }) {
  const { backups: { count, size }, id } = task;
  return (
    <details class="confirm">
      <summary class="button quiet">
        <Icon name="trash" />
        Delete…
      </summary>
      <form method="post" action={view.path(`/tasks/${id}/delete`)} class="confirm-body">
        <FormFields view={view} />
        <p>
          {count === 0 ? "It has no backups." : (
            <>
              Its {counted(count, "backup")} (<Bytes value={size} />) {count === 1 ? "stays" : "stay"}{" "}
              and can still be restored. No new ones are made.
            </>
          )} The task can be brought back from the trash for a few days.
        </p>
        {count > 0 && view.may("delete-backups")
          ? (
            <label class="check">
              <input type="checkbox" name="with_backups" value="1" />
              <span>
                Delete its backups too
                <span class="hint">They go to the trash too.</span>
              </span>
            </label>
          )
          : null}
        <button class="button danger" type="submit">Delete this task</button>
        <Elsewhere cli={`rearguard tasks delete ${id}`} api={`DELETE /api/backup-tasks/${id}`} />
      </form>
    </details>
  );
}
