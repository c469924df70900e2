/** What the buttons of a task do. Each returns to the page from which it was pressed. */
import { addSimpleAction } from "../../page.tsx";
import { path, type Site } from "../../site.ts";

/** The actions that are one call without further questions, with the message of the next page. */
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
}
