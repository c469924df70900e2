/** Endpoint that applies one action, such as `pause`, to many backup tasks. */
import { z } from "@hono/zod-openapi";
import { InvalidError } from "../../../domain/errors.ts";
import { id } from "../../../definitions/formats/text.ts";
import { nullAsAbsent } from "../../../definitions/formats/null_as_absent.ts";
import { isTagOf } from "../../../services/tasks/tags.ts";
import { type Answer, type Endpoint, endpoint } from "../../endpoint.ts";
import { callInner, type InnerInput, messageOf } from "../../inner_call.ts";
import { rule } from "../../input/input.ts";
import { Time } from "../../input/time.ts";
import { backupTaskEndpoints } from "./backup_tasks.ts";
import { backupTaskRunEndpoints } from "./backup_task_runs.ts";
import { backupTaskScheduleEndpoints } from "./backup_task_schedule.ts";
import { backupTask } from "./backup_task_view.ts";
import { taskTagEndpoints } from "./task_tags.ts";

/** Maximum number of tasks in one request. */
const MAX_TASKS = 500;

const ACTIONS = ["run", "pause", "resume", "add-tag", "remove-tag", "delete"] as const;
type Action = typeof ACTIONS[number];
const isAboutTag = (action: Action) => action === "add-tag" || action === "remove-tag";

const BulkInput = rule(
  z.object({
    ids: z.array(id()).min(1).max(MAX_TASKS).openapi({
      description: "The tasks. A repeated id counts once.",
    }),
    action: z.enum(ACTIONS),
    tag_id: id().nullable().optional().openapi({ description: "Needed by `add-tag` and `remove-tag`." }),
    queue: nullAsAbsent(z.boolean()).openapi({
      description: "For `run`: whether a run waits for a slot if its server is at its limit. Default: true.",
    }),
    with_backups: nullAsAbsent(z.boolean()).openapi({
      description: "For `delete`: whether the backups of the tasks go to the trash too. Default: false.",
    }),
  }),
  ["action", "tag_id"],
  ({ action, tag_id }, fail) => {
    if (isAboutTag(action) && (tag_id ?? null) === null) {
      fail("tag_id", `The tag id field is required when action is ${action}.`);
    }
  },
).openapi("BulkAction");
type BulkInput = z.output<typeof BulkInput>;

const Result = z.object({
  id: z.int(),
  ok: z.boolean(),
  status: z.int().openapi({ description: "The status that the call for this task alone would have had." }),
  message: z.string(),
  backup_task_log_id: z.int().optional(),
  deletes_at: Time.optional(),
});

const OPERATIONS: Readonly<Record<Action, Endpoint>> = {
  "run": operation(backupTaskRunEndpoints, "runBackupTask"),
  "pause": operation(backupTaskScheduleEndpoints, "pauseBackupTask"),
  "resume": operation(backupTaskScheduleEndpoints, "resumeBackupTask"),
  "add-tag": operation(taskTagEndpoints, "addTagToBackupTask"),
  "remove-tag": operation(taskTagEndpoints, "removeTagFromBackupTask"),
  "delete": operation(backupTaskEndpoints, "deleteBackupTask"),
};

function operation(endpoints: readonly Endpoint[], operationId: string): Endpoint {
  return endpoints.find((each) => each.operationId === operationId)!;
}

function inputFor({ action, tag_id, queue = true, with_backups = false }: BulkInput, id: number): InnerInput {
  if (action === "run") return { params: { id }, body: { queue } };
  if (action === "delete") return { params: { id }, query: { with_backups } };
  return { params: isAboutTag(action) ? { id, tag_id: tag_id! } : { id } };
}

function resultOf(id: number, answer: Answer): z.output<typeof Result> {
  const { status } = answer;
  const { backup_task_log_id, deletes_at } = answer.body as Partial<z.output<typeof Result>>;
  return {
    id,
    ok: status < 400,
    status,
    message: messageOf(answer),
    ...backup_task_log_id === undefined ? {} : { backup_task_log_id },
    ...deletes_at === undefined ? {} : { deletes_at },
  };
}

export const bulkActionEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "post",
    path: "/api/backup-tasks/bulk",
    operationId: "changeBackupTasks",
    group: backupTask.plural,
    summary: "Do the same with many backup tasks",
    description:
      "Runs, pauses, resumes, tags or deletes each task as its own operation would: the ability is checked and the " +
      "audit log gets an entry for each. An error of one task does not stop the others. From a browser, `delete` " +
      "needs a fresh log-in.",
    access: "any token",
    audited: false,
    needsFreshLogin: ({ action }) => action === "delete",
    body: { schema: BulkInput, example: { ids: [1, 2], action: "run" } },
    answer: {
      status: 200,
      description: "The result for each task, in the order of `ids`.",
      content: {
        type: "application/json",
        schema: z.object({
          data: z.object({
            action: z.enum(ACTIONS),
            ok: z.int().openapi({ description: "Number of tasks for which it succeeded." }),
            failed: z.int(),
            results: z.array(Result),
          }).openapi("BulkResult"),
        }),
        example: {
          data: {
            action: "run",
            ok: 1,
            failed: 1,
            results: [
              {
                id: 1,
                ok: true,
                status: 202,
                message: "Backup task initiated successfully.",
                backup_task_log_id: 7,
              },
              {
                id: 2,
                ok: false,
                status: 409,
                message: "The backup task is paused. Resume it before you run it.",
              },
            ],
          },
        },
      },
    },
    async handle(call) {
      const { services, caller, body } = call;
      const { action, tag_id: tagId = null } = body;
      if (tagId !== null && !await isTagOf(services, caller, tagId)) {
        throw new InvalidError({ tag_id: ["The selected tag is invalid."] });
      }
      const results: z.output<typeof Result>[] = [];
      for (const id of new Set(body.ids)) {
        const answer = await callInner(call, OPERATIONS[action], inputFor(body, id));
        results.push(resultOf(id, answer));
      }
      const ok = results.filter((result) => result.ok).length;
      return { status: 200, body: { data: { action, ok, failed: results.length - ok, results } } };
    },
  }),
];
