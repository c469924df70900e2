/** Defines the endpoints of `/api/scripts`. */
import { createHash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import {
  createScript,
  deleteScript,
  listScripts,
  type ScriptDetailRow,
  showScript,
  undeleteScript,
  updateScript,
} from "../../../services/tasks/scripts.ts";
import { inputShape } from "../../../definitions/fields/input.ts";
import { presentFields, shownShape } from "../../../definitions/fields/view.ts";
import { SCRIPT_FIELDS, SCRIPT_TYPES } from "../../../definitions/script_fields.ts";
import type { Endpoint } from "../../endpoint.ts";
import { searchParameter } from "../../input/list_filters.ts";
import {
  createEndpoint,
  deleteEndpoint,
  listEndpoint,
  type Resource,
  showEndpoint,
  undeleteEndpoint,
  updateEndpoint,
} from "../../resource.ts";
import { isoTime, Time } from "../../input/time.ts";

const Script = z.object({
  id: z.int(),
  user_id: z.int(),
  ...shownShape(SCRIPT_FIELDS),
  sha256: z.string().openapi({
    description: "Of the text, in hex. An agent's configuration can allow scripts by it.",
  }),
  backup_tasks_count: z.int().openapi({ description: "Tasks that use it." }),
  created_at: Time,
  updated_at: Time,
}).openapi("Script");

const example = {
  id: 1,
  user_id: 1,
  workspace_id: 1,
  label: "Stop the shop",
  type: "prescript" as const,
  script: "docker stop shop\n",
  timeout_seconds: 120,
  run_as: null,
  on_failure: "fail" as const,
  created_at: new Date("2024-08-07T00:00:00Z"),
  updated_at: new Date("2024-08-07T00:00:00Z"),
  backup_tasks_count: 2,
};

const script: Resource<ScriptDetailRow, z.output<typeof Script>> = {
  name: "Script",
  plural: "Scripts",
  path: "/api/scripts",
  schema: Script,
  example: present(example),
  present,
};

function present(row: ScriptDetailRow): z.output<typeof Script> {
  return {
    id: row.id,
    user_id: row.user_id,
    ...presentFields(SCRIPT_FIELDS, row),
    sha256: createHash("sha256").update(row.script).digest("hex"),
    backup_tasks_count: row.backup_tasks_count,
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  };
}

const fields = z.object(inputShape(SCRIPT_FIELDS));

export const scriptEndpoints: readonly Endpoint[] = [
  listEndpoint(script, {
    access: "view-scripts",
    filters: {
      type: z.enum(SCRIPT_TYPES).optional().openapi({
        description: "Only of this type.",
        example: "prescript",
      }),
      search: searchParameter("the label or the text"),
    },
    sorts: ["label"],
    list: listScripts,
  }),
  createEndpoint(script, {
    access: "create-scripts",
    needsFreshLogin: true,
    description:
      "A backup task's `script_ids` name the scripts that its backup runs execute on the server, in order.",
    body: fields.openapi("NewScript"),
    example: {
      label: "Stop the shop",
      type: "prescript",
      script: "docker stop shop\n",
      timeout_seconds: 120,
    },
    create: createScript,
  }),
  showEndpoint(script, { access: "view-scripts", show: showScript }),
  updateEndpoint(script, {
    access: "update-scripts",
    needsFreshLogin: true,
    body: fields.partial().openapi("ScriptChanges"),
    example: { timeout_seconds: 300 },
    update: updateScript,
  }),
  deleteEndpoint(script, {
    access: "delete-scripts",
    description: "Refused while backup tasks use it: the answer names them.",
    isTrashed: true,
    remove: deleteScript,
  }),
  undeleteEndpoint(script, {
    access: "delete-scripts",
    undelete: undeleteScript,
  }),
];
