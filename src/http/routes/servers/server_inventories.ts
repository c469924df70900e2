/** Endpoints that list the items on a server that no task backs up. */
import { z } from "@hono/zod-openapi";
import { BACKUP_TASK_TYPES, DATABASE_TYPES, FILES_TASK_TYPE } from "../../../definitions/sources/registry.ts";
import { literal } from "../../../definitions/formats/text.ts";
import { INVENTORY_KINDS } from "../../../domain/inventory.ts";
import {
  dismissUnprotected,
  listUnprotected,
  takeInventoryNow,
  type Unprotected,
  type UnprotectedItem,
} from "../../../services/servers/inventories.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { isoTimeOrNull, Time } from "../../input/time.ts";

const Item = z.object({
  id: z.string().openapi({ description: "The same in every inventory of the server." }),
  kind: z.enum(INVENTORY_KINDS),
  name: z.string(),
  path: z.string().nullable().openapi({ description: "Null for databases." }),
  database_type: z.enum(DATABASE_TYPES).nullable(),
  size: z.int().nullable().openapi({ description: "Bytes; null if it takes long to find out." }),
  is_partly_protected: z.boolean().openapi({ description: "Whether a task backs up something in it." }),
  is_dismissed: z.boolean().openapi({ description: "Whether a person said that it is not needed." }),
  prefill: z.object({
    type: z.enum(BACKUP_TASK_TYPES),
    source_path: z.string().optional(),
    database_type: z.enum(DATABASE_TYPES).optional(),
    database_name: z.string().optional(),
  }).openapi({ description: "Fields of a task that would back it up." }),
}).openapi("UnprotectedItem");

const Found = z.object({
  data: z.array(Item),
  unprotected_count: z.int().openapi({ description: "Without those that are dismissed." }),
  inventoried_at: Time.nullable().openapi({
    description: "When the agent last looked; null before the first time.",
  }),
  notes: z.array(z.string()).openapi({ description: "What the agent could not look at, and why." }),
});

const answer = {
  status: 200,
  description: "Databases first, then volumes, file systems and directories.",
  content: {
    type: "application/json",
    schema: Found,
    example: {
      data: [{
        id: "directory:/srv",
        kind: "directory",
        name: "/srv",
        path: "/srv",
        database_type: null,
        size: null,
        is_partly_protected: false,
        is_dismissed: false,
        prefill: { type: FILES_TASK_TYPE, source_path: "/srv" },
      }],
      unprotected_count: 1,
      inventoried_at: "2024-08-07T00:00:00Z",
      notes: [],
    },
  },
} as const;

const Chosen = z.object({
  ids: z.array(literal(8192)).min(1).max(1000).openapi({
    description: "Ids of items. Ids that the server does not have are ignored.",
  }),
}).openapi("ChosenUnprotectedItems");

const group = "Remote servers";
const ids = { id: "Remote server" } as const;

export const serverInventoryEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/remote-servers/{id}/unprotected",
    operationId: "listUnprotected",
    group,
    summary: "List what of a server is not protected",
    description:
      "Databases, Docker volumes, file systems and data directories of the agent's last inventory that no task of the server " +
      "covers completely. The agent is asked once a day, and soon after it first connects.",
    access: "view-remote-servers",
    ids,
    answer,
    handle: async ({ services, caller, params }) =>
      present(await listUnprotected(services, caller, params.id)),
  }),
  endpoint({
    method: "post",
    path: "/api/remote-servers/{id}/inventory",
    operationId: "takeInventory",
    group,
    summary: "Take a server's inventory now",
    access: "update-remote-servers",
    ids,
    errors: {
      409: "The agent is not connected, or too old.",
      503: "The agent did not answer in time.",
    },
    answer,
    handle: async ({ services, caller, params }) =>
      present(await takeInventoryNow(services, caller, params.id)),
  }),
  ...[true, false].map((isDismissed) => {
    const verb = isDismissed ? "dismiss" : "undismiss";
    return endpoint({
      method: "post",
      path: `/api/remote-servers/{id}/unprotected/${verb}`,
      operationId: `${verb}Unprotected`,
      group,
      summary: isDismissed ? "Dismiss items that need no backup" : "Undo the dismissal of items",
      access: "update-remote-servers",
      ids,
      body: { schema: Chosen, example: { ids: ["directory:/srv"] } },
      answer,
      handle: async ({ services, caller, params, body }) =>
        present(await dismissUnprotected(services, caller, params.id, body.ids, isDismissed)),
    });
  }),
];

function present({ items, inventoriedAt, notes }: Unprotected) {
  const data = items.map(presentItem);
  const unprotected_count = data.filter(({ is_dismissed }) => !is_dismissed).length;
  const body = { data, unprotected_count, inventoried_at: isoTimeOrNull(inventoriedAt), notes };
  return { status: 200, body };
}

function presentItem(
  { id, kind, name, path, engine, size, coverage, isDismissed, prefill }: UnprotectedItem,
) {
  return {
    id,
    kind,
    name,
    path,
    database_type: engine,
    size,
    is_partly_protected: coverage === "part",
    is_dismissed: isDismissed,
    prefill,
  };
}
