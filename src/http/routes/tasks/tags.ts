/** Defines the endpoints of `/api/tags`. */
import { z } from "@hono/zod-openapi";
import {
  createTag,
  deleteTag,
  listTags,
  showTag,
  type TagRow,
  undeleteTag,
  updateTag,
} from "../../../services/tasks/tags.ts";
import { inputShape } from "../../../definitions/fields/input.ts";
import { presentFields, shownShape } from "../../../definitions/fields/view.ts";
import { TAG_FIELDS } from "../../../definitions/tag_fields.ts";
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

const Tag = z.object({
  id: z.int(),
  user_id: z.int(),
  ...shownShape(TAG_FIELDS),
  created_at: Time,
  updated_at: Time,
}).openapi("Tag");

export const tag: Resource<TagRow, z.output<typeof Tag>> = {
  name: "Tag",
  plural: "Tags",
  path: "/api/tags",
  schema: Tag,
  example: {
    id: 1,
    user_id: 1,
    label: "Production",
    description: "What customers use",
    colour: "#2563eb",
    created_at: "2024-08-07T00:00:00Z",
    updated_at: "2024-08-07T00:00:00Z",
  },
  present: (row) => ({
    id: row.id,
    user_id: row.user_id,
    ...presentFields(TAG_FIELDS, row),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }),
};

const fields = z.object(inputShape(TAG_FIELDS));

export const tagEndpoints: readonly Endpoint[] = [
  listEndpoint(tag, {
    access: "view-tags",
    filters: { search: searchParameter("the label or the description") },
    sorts: ["label"],
    list: listTags,
  }),
  createEndpoint(tag, {
    access: "manage-tags",
    body: fields.openapi("NewTag"),
    example: { label: "Production", description: "What customers use", colour: "#2563eb" },
    create: createTag,
  }),
  showEndpoint(tag, { access: "view-tags", show: showTag }),
  updateEndpoint(tag, {
    access: "manage-tags",
    body: fields.partial().openapi("TagChanges"),
    example: { label: "Live" },
    update: updateTag,
  }),
  deleteEndpoint(tag, {
    access: "manage-tags",
    description: "The tag is also removed from backup tasks.",
    isTrashed: true,
    remove: deleteTag,
  }),
  undeleteEndpoint(tag, {
    access: "manage-tags",
    description: "The tasks that had it have it again.",
    undelete: undeleteTag,
  }),
];
