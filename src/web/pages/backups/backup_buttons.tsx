/** The buttons of a backup: restore, verify, drill, hold and delete. */
import { Confirm, Elsewhere, FormFields, PostButton, TextField } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { Bytes } from "../../components/number.tsx";
import { path } from "../../site.ts";
import type { View } from "../../view.ts";
import type { Backup } from "./browse.ts";

export function BackupButtons({ view, backup }: { view: View; backup: Backup }) {
  if (backup.deletes_at !== null) return null;
  const action = (verb: string) => path`/backups/${backup.id}/${verb}`;
  return (
    <>
      {view.may("run-backup-tasks")
        ? (
          <>
            <PostButton view={view} action={action("verify")} label="Verify now" icon="verification" />
            {backup.encryption === "recipients" || backup.restore_refusal !== null
              ? null
              : <PostButton view={view} action={action("drill")} label="Test restore" icon="play" />}
          </>
        )
        : null}
      {view.may("delete-backups")
        ? (
          <>
            <Hold view={view} backup={backup} />
            {backup.held ? null : (
              <Confirm
                view={view}
                action={action("delete")}
                open="Delete"
                icon="trash"
                label="Delete this backup"
              >
                <p>
                  Deletes{" "}
                  <Bytes value={backup.size} />. It stays in the trash for a few days and can be taken out;
                  the next page says until when.
                </p>
                <Elsewhere
                  cli={`rearguard backups delete ${backup.id}`}
                  api={`DELETE /api/backups/${backup.id}`}
                />
              </Confirm>
            )}
          </>
        )
        : null}
      {view.may("restore-backups")
        ? (
          <a class="button" href={view.path(`/restore?backup_id=${backup.id}`)}>
            <Icon name="restore" />
            Restore
          </a>
        )
        : null}
    </>
  );
}

/** Holds a backup with a reason, or releases it. */
function Hold({ view, backup }: { view: View; backup: Backup }) {
  const { id, held, hold_ends_at } = backup;
  if (held && hold_ends_at === null) {
    return (
      <Confirm
        view={view}
        action={path`/backups/${id}/release`}
        open="Release"
        icon="held"
        label="Release the hold"
      >
        <p>After a few days, the retention rules of its task apply to it again. They can delete it then.</p>
        <Elsewhere cli={`rearguard backups release ${id}`} api={`DELETE /api/backups/${id}/hold`} />
      </Confirm>
    );
  }
  return (
    <details class="confirm">
      <summary class="button quiet">
        <Icon name="held" />
        Hold
      </summary>
      <form class="confirm-body" method="post" action={view.path(path`/backups/${id}/hold`)}>
        <FormFields view={view} />
        <p>Nothing deletes a held backup, neither retention nor a person, until it is released.</p>
        <TextField name="reason" label="Why" placeholder="Before the move to the new server" />
        <button class="button" type="submit">Hold this backup</button>
        <Elsewhere cli={`rearguard backups hold ${id}`} api={`POST /api/backups/${id}/hold`} />
      </form>
    </details>
  );
}
