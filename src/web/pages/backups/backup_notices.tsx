/** Notices about the problems of a backup, each with the next step. */
import type { Child } from "hono/jsx";
import { Confirm, PostButton } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { counted } from "../../components/number.tsx";
import { Ago, ExactTime } from "../../components/time.tsx";
import { path } from "../../site.ts";
import type { View } from "../../view.ts";
import type { Backup } from "./browse.ts";

export function BackupNotices({ view, backup }: { view: View; backup: Backup }) {
  const mayDecide = view.may("delete-backups");
  const action = (verb: string) => path`/backups/${backup.id}/${verb}`;
  return (
    <>
      {backup.deletes_at === null ? null : (
        <Notice tone="warn">
          <p>
            In the trash. Until <ExactTime view={view} at={backup.deletes_at} />{" "}
            it can be taken out; then it is deleted for good. Take it out to restore from it.
          </p>
          {mayDecide
            ? (
              <PostButton
                view={view}
                action={action("undelete")}
                label="Take out of the trash"
                icon="restore"
              />
            )
            : null}
        </Notice>
      )}
      {backup.status === "deleting" && backup.deletes_at === null
        ? (
          <Notice tone="warn">
            <p>
              It is being deleted, because the retention of its task no longer keeps it.{" "}
              {backup.removal_error === null
                ? null
                : <>Deleting it failed {counted(backup.removal_attempts, "time")}: {backup.removal_error}</>}
            </p>
          </Notice>
        )
        : null}
      {backup.damaged_at === null ? null : (
        <Notice tone="bad">
          <p>
            Damaged, found <Ago view={view} at={backup.damaged_at} />: {backup.damage_reason}
          </p>
          {mayDecide
            ? (
              <Confirm
                view={view}
                action={action("clear-damage")}
                open="Mark as intact"
                label="Mark as intact"
              >
                Do this only if you know that the report is wrong. Retention can then delete older backups
                that it keeps because of this one.
              </Confirm>
            )
            : null}
        </Notice>
      )}
      {backup.suspicious_at === null ? null : (
        <Notice tone="bad">
          <p>
            Suspicious: {backup.suspicion}{" "}
            Retention keeps this backup and the older ones of its task until a person has reviewed it.
          </p>
          {mayDecide
            ? (
              <Confirm
                view={view}
                action={action("clear-suspicion")}
                open="It is fine"
                label="Clear the suspicion"
              >
                Retention can then delete older backups of the task again.
              </Confirm>
            )
            : null}
        </Notice>
      )}
      {backup.suspicious_at !== null || backup.findings.length === 0 ? null : (
        <Notice tone="warn">
          <ul class="plain">
            {backup.findings.map(({ name, message }) => <li key={name}>{message}</li>)}
          </ul>
        </Notice>
      )}
      {backup.incomplete
        ? (
          <Notice tone="warn">
            <p>
              Incomplete. {backup.unreadable_count === 0
                ? null
                : `${counted(backup.unreadable_count, "file")} could not be read; its run names them.`}
            </p>
            {backup.missing.length === 0 ? null : (
              <ul class="plain">
                {backup.missing.map(({ name, reason }) => (
                  <li key={name}>
                    <strong>{name}</strong> is missing: {reason}
                  </li>
                ))}
              </ul>
            )}
          </Notice>
        )
        : null}
    </>
  );
}

function Notice({ tone, children }: { tone: "warn" | "bad"; children: Child }) {
  return (
    <div class={`notice ${tone} with-action`}>
      <Icon name={tone} />
      <div class="section">{children}</div>
    </div>
  );
}
