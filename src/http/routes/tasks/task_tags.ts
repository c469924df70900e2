/** Endpoints that add a single tag to a backup task, or remove it. */
import { z } from "@hono/zod-openapi";
import { addTaskTag, removeTaskTag } from "../../../services/tasks/task_tags.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { dataContent } from "../../resource.ts";
import { backupTask } from "./backup_task_view.ts";
import { tag } from "./tags.ts";

export const taskTagEndpoints: readonly Endpoint[] = [
  tagEndpoint("put", "Tag successfully added to the backup task.", addTaskTag, {
    operationId: "addTagToBackupTask",
    summary: "Add a tag to a backup task",
    description: "Changes nothing if the task has the tag already.",
  }),
  tagEndpoint("delete", "Tag successfully removed from the backup task.", removeTaskTag, {
    operationId: "removeTagFromBackupTask",
    summary: "Remove a tag from a backup task",
    description: "Changes nothing if the task does not have the tag.",
  }),
];

function tagEndpoint(
  method: "put" | "delete",
  message: string,
  change: typeof addTaskTag,
  words: Pick<Endpoint, "operationId" | "summary" | "description">,
): Endpoint {
  const content = dataContent(backupTask);
  return endpoint({
    ...words,
    method,
    path: "/api/backup-tasks/{id}/tags/{tag_id}",
    group: backupTask.plural,
    access: "update-backup-tasks",
    ids: { id: backupTask.name, tag_id: tag.name },
    needsFreshLogin: false,
    answer: {
      status: 200,
      description: "The task after the change.",
      content: {
        ...content,
        schema: z.object({ message: z.string(), ...content.schema.shape }),
        example: { message, ...content.example },
      },
    },
    async handle({ services, caller, params }) {
      const task = await change(services, caller, { taskId: params.id, tagId: params.tag_id });
      return { status: 200, body: { message, data: backupTask.present(task) } };
    },
  });
}
