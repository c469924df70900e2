/** The token with which other systems start a task's runs. */
import { Confirm, CopyText, Elsewhere, PostButton } from "../../components/form.tsx";
import { Ago } from "../../components/time.tsx";
import { addAction, addSimpleAction, type PageContent, refused } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import { path, type Site } from "../../site.ts";
import type { Answer } from "../../../client/client.ts";
import type { View } from "../../view.ts";
import type { BackupTask } from "./records.ts";

export function Trigger({ view, task }: { view: View; task: BackupTask }) {
  const { has_trigger_token: hasToken, id, trigger_token_last_used_at: usedAt } = task;
  const action = `/tasks/${id}/trigger-token`;
  return (
    <section class="section" aria-labelledby="trigger">
      <header>
        <h2 id="trigger">Start from other systems</h2>
      </header>
      <p class="muted">
        {hasToken
          ? (
            <>
              A token can start runs of this task, and nothing else. It was last used:{" "}
              <Ago view={view} at={usedAt} />.
            </>
          )
          : "A deployment or another job can start a run by HTTP, with a token that can do nothing else."}
      </p>
      {view.may("update-backup-tasks")
        ? (
          <div class="buttons">
            {hasToken
              ? (
                <>
                  <Confirm
                    view={view}
                    action={action}
                    open="Replace the token…"
                    label="Replace the token"
                  >
                    The present token is invalid at once. Systems that use it need the new one.
                  </Confirm>
                  <Confirm
                    view={view}
                    action={`${action}/delete`}
                    open="Delete the token…"
                    label="Delete the token"
                    icon="trash"
                  >
                    Systems that use the token can no longer start runs.
                  </Confirm>
                </>
              )
              : <PostButton view={view} action={action} label="Make a token" />}
          </div>
        )
        : null}
      {view.may("update-backup-tasks")
        ? (
          <Elsewhere
            cli={`rearguard tasks trigger-token ${id}`}
            api={`POST /api/backup-tasks/${id}/trigger-token`}
          />
        )
        : null}
    </section>
  );
}

/** Shows a new token. It is the only time that the token is shown. */
function newToken(view: View, id: string, { token, url }: Answer<TokenPath, "post">["data"]): PageContent {
  return {
    title: "New token",
    content: (
      <>
        <PageHeading
          view={view}
          title="New token"
          lead="Copy it now: it is not shown again."
          trail={[{ label: "Tasks", path: "/tasks" }, { label: "Task", path: path`/tasks/${id}` }]}
        />
        <section class="section form-wide">
          <h2>Token</h2>
          <CopyText text={token} label="Copy the token" />
          <h2>Start a run</h2>
          <CopyText text={`curl -X POST -H "X-Trigger-Token: $TOKEN" ${url}`} label="Copy the command" />
        </section>
        <p>
          <a class="button" href={view.path(path`/tasks/${id}`)}>I have copied it</a>
        </p>
      </>
    ),
  };
}

type TokenPath = "/api/backup-tasks/{id}/trigger-token";

export function addTriggerActions(site: Site): void {
  addAction(site, "/tasks/:id/trigger-token", async (view, form, parameter) => {
    const id = parameter("id");
    const answer = await view.call("POST", path`/api/backup-tasks/${id}/trigger-token`, {
      csrf: form.text("csrf_token"),
    });
    return answer.status === 201 ? newToken(view, id, answer.body.data) : refused(view, form, answer);
  });
  addSimpleAction(site, "/tasks/:id/trigger-token/delete", {
    method: "DELETE",
    to: (parameter) => path`/api/backup-tasks/${parameter("id")}/trigger-token`,
    done: "The token is deleted: it starts no runs any more.",
  });
}
