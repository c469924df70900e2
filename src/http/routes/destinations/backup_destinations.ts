/** Defines the endpoints of `/api/backup-destinations`. */
import { z } from "@hono/zod-openapi";
import type { DestinationField } from "../../../definitions/destinations/definition.ts";
import { definitionOf, DESTINATION_TYPES } from "../../../definitions/destinations/registry.ts";
import { ALL_FIELDS } from "../../../definitions/destinations/settings.ts";
import {
  type BackupDestinationRow,
  createBackupDestination,
  listBackupDestinations,
  showBackupDestination,
  updateBackupDestination,
} from "../../../services/destinations/backup_destinations.ts";
import {
  deleteBackupDestination,
  undeleteBackupDestination,
} from "../../../services/destinations/destination_deletion.ts";
import { type UsedDestination, withUsage } from "../../../services/destinations/destination_usage.ts";
import type { Caller, ServiceContext } from "../../../services/context.ts";
import type { Endpoint } from "../../endpoint.ts";
import { searchParameter, timeParameters } from "../../input/list_filters.ts";
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
import { ForgetQuery, TRASH } from "./forget_query.ts";
import { usageExample, usageFields } from "./destination_usage.ts";
import { BackupDestinationChanges, NewBackupDestination, storedInput } from "./backup_destination_input.ts";

const text = z.string().nullable().optional();

/** Returns the schema of a field in responses. A secret is shown as a boolean that says whether it is set. */
function responseShape({ schema, isSecret }: DestinationField): z.ZodType {
  if (isSecret || schema instanceof z.ZodBoolean) return z.boolean().optional();
  if (!(schema instanceof z.ZodNumber)) return text;
  return (schema.isInt ? z.int() : z.number()).nullable().optional();
}

function responseName(name: string, { isSecret }: DestinationField): string {
  return isSecret ? `is_${name}_set` : name;
}

const responseFields: Record<string, z.ZodType> = Object.fromEntries(
  [...ALL_FIELDS].filter(([, { isTransient }]) => !isTransient)
    .map(([name, field]) => [responseName(name, field), responseShape(field)]),
);

const DestinationUsage = z.object(usageFields).openapi("BackupDestinationUsage");

const BackupDestination = z.object({
  id: z.int(),
  user_id: z.int(),
  label: z.string(),
  type: z.enum(DESTINATION_TYPES),
  type_human: z.enum(DESTINATION_TYPES.map((type) => definitionOf(type).label)),
  ...responseFields,
  space: z.object({ free_bytes: z.int(), total_bytes: z.int(), measured_at: Time }).nullable().openapi({
    description:
      "The space that an agent last measured, after a backup or a check; of a local destination on that agent's " +
      "server, of WebDAV the account's quota. Null: never measured. Buckets have none.",
  }),
  usage: DestinationUsage,
  deletes_at: Time.optional().openapi({
    description: "Set while it is in the trash: until then it can be restored from there.",
  }),
  created_at: Time,
  updated_at: Time,
}).openapi("BackupDestination", { description: "Contains only the fields of its type." });

type Shown = z.output<typeof BackupDestination> & Record<string, unknown>;

export const backupDestination: Resource<UsedDestination, Shown> = {
  name: "Backup destination",
  plural: "Backup destinations",
  path: "/api/backup-destinations",
  schema: BackupDestination as z.ZodType<Shown>,
  example: {
    id: 1,
    user_id: 1,
    label: "Backups in Frankfurt",
    type: "s3",
    type_human: "Amazon S3",
    s3_bucket_name: "example-backups",
    path_style_endpoint: false,
    s3_region: "eu-central-1",
    is_s3_access_key_set: true,
    is_s3_secret_key_set: true,
    price_per_gb_month: 0.023,
    currency: "USD",
    space: null,
    usage: usageExample,
    created_at: "2024-08-07T00:00:00Z",
    updated_at: "2024-08-07T00:00:00Z",
  },
  present: (row) => ({
    id: row.id,
    user_id: row.user_id,
    label: row.label,
    type: row.type,
    type_human: definitionOf(row.type).label,
    ...ofType(row),
    space: spaceOf(row),
    usage: row.usage,
    ...row.deletes_at === null ? {} : { deletes_at: isoTime(row.deletes_at) },
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }),
};

async function used(
  services: ServiceContext,
  caller: Caller,
  row: Promise<BackupDestinationRow>,
): Promise<UsedDestination> {
  const [destination] = await withUsage(services, caller, [await row]);
  return destination!;
}

function spaceOf(row: BackupDestinationRow) {
  const { space_free_bytes, space_total_bytes, space_measured_at } = row;
  if (space_free_bytes === null || space_total_bytes === null || space_measured_at === null) return null;
  return {
    free_bytes: space_free_bytes,
    total_bytes: space_total_bytes,
    measured_at: isoTime(space_measured_at),
  };
}

function ofType({ type, settings, secrets }: BackupDestinationRow): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(definitionOf(type).fields).filter(([, { isTransient }]) => !isTransient).map((
      [name, field],
    ) => [
      responseName(name, field),
      field.isSecret ? secrets[name] !== undefined : settings[name] ?? null,
    ]),
  );
}

export const EXAMPLES = {
  new: { label: "Second disk", type: "local", local_path: "/mnt/backups" },
  changes: { label: "Third disk", local_path: "/mnt/disk3" },
} as const;

export const backupDestinationEndpoints: readonly Endpoint[] = [
  listEndpoint(backupDestination, {
    access: "view-backup-destinations",
    filters: {
      status: z.enum(["trash"]).optional().openapi(TRASH),
      type: BackupDestination.shape.type.optional().openapi({
        description: "Only of this type.",
        example: "s3",
      }),
      ...timeParameters,
      search: searchParameter("the label, or where it leads"),
    },
    sorts: ["label"],
    async list(services, caller, window, filters) {
      const { rows, total } = await listBackupDestinations(services, caller, window, filters);
      return { rows: await withUsage(services, caller, rows), total };
    },
  }),
  createEndpoint(backupDestination, {
    access: "create-backup-destinations",
    body: NewBackupDestination,
    example: EXAMPLES.new,
    create: (services, caller, body) =>
      used(services, caller, createBackupDestination(services, caller, storedInput(body))),
  }),
  showEndpoint(backupDestination, {
    access: "view-backup-destinations",
    show: (services, caller, id) => used(services, caller, showBackupDestination(services, caller, id)),
  }),
  updateEndpoint(backupDestination, {
    access: "update-backup-destinations",
    description:
      "A new type removes the fields of the old one. While it holds backups, the bucket, endpoint, SFTP host, " +
      "port and user name can't change, unless `objects_moved` is true: everything was copied to the new ones. A new " +
      "path then applies to existing backups too; otherwise only to new ones.",
    body: BackupDestinationChanges,
    example: EXAMPLES.changes,
    errors: { 409: "Its type, bucket or server is changed while it holds backups." },
    update: (services, caller, destinationId, { objects_moved, ...body }) =>
      used(
        services,
        caller,
        updateBackupDestination(services, caller, destinationId, storedInput(body), objects_moved),
      ),
  }),
  deleteEndpoint(backupDestination, {
    access: "delete-backup-destinations",
    description: "It goes to the trash, and administrators are notified.",
    errors: { 409: "Backup tasks use it, or it holds backups and `forget` is not true." },
    query: ForgetQuery,
    isTrashed: true,
    remove: (services, caller, destinationId, query) =>
      deleteBackupDestination(services, caller, destinationId, query),
  }),
  undeleteEndpoint(backupDestination, {
    access: "delete-backup-destinations",
    description: "Restores the backups that were forgotten with it, too.",
    undelete: (services, caller, id) =>
      used(services, caller, undeleteBackupDestination(services, caller, id)),
  }),
];
