/** Actions of a task's buttons. Each returns to the page from which it was pressed. */
import { exactTime } from "../../components/time.tsx";
import { addAction, addSimpleAction, refused } from "../../page.tsx";
import { path, type Site } from "../../site.ts";

/**
 * Actions that send one request to the API and need no further input. Each value is the message that the next
 * page shows.
 */
const ACTIONS = {
  run: "The run is queued. It starts as soon as the server's agent takes it.",
  pause: "The task is paused. It does not run until you resume it.",
  resume: "The task is resumed, and runs on its schedule again.",
  cancel: "The run is being cancelled. It ends when the agent has cleaned up.",
} as const;

export function addTaskActions(site: Site): void {
  for (const [name, done] of Object.entries(ACTIONS)) {
    addSimpleAction(site, `/tasks/:id/${name}`, {
      method: "POST",
      to: (parameter) => `${path`/api/backup-tasks/${parameter("id")}`}/${name}`,
      body: name === "run" ? () => ({ queue: true }) : undefined,
      done,
    });
  }
  addAction(site, "/tasks/:id/delete", async (view, form, parameter) => {
    const id = parameter("id");
    const task = await view.get("/api/backup-tasks/{id}", { id });
    const query = form.has("with_backups") ? "?with_backups=true" : "";
    const answer = await view.call("DELETE", `${path`/api/backup-tasks/${id}`}${query}`, {
      csrf: form.text("csrf_token"),
    });
    if (answer.status !== 200) return refused(view, form, answer);
    const until = exactTime(view, answer.body.deletes_at);
    const done = `The task ${task.label} is deleted. Until ${until} it can be brought back from the trash.`;
    return { goTo: "/tasks", done };
  });
}
