/** `/api/backup-destinations`. */
import { z } from "@hono/zod-openapi";
import { CheckStep } from "../../../protocol/wire_messages.ts";
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
import { checkDestination } from "../../../services/destinations/destination_checks.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { id } from "../../../definitions/formats/text.ts";
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
import { BackupDestinationChanges, NewBackupDestination, storedNames } from "./backup_destination_input.ts";

const TYPES_HUMAN = { local: "Local", s3: "Amazon S3", custom_s3: "Custom S3", sftp: "SFTP" } as const;

const text = z.string().nullable();

const BackupDestination = z.object({
  id: z.int(),
  user_id: z.int(),
  label: z.string(),
  type: z.enum(["local", "s3", "custom_s3", "sftp"]),
  type_human: z.enum(["Local", "Amazon S3", "Custom S3", "SFTP"]),
  local_path: text.optional(),
  s3_bucket_name: text.optional(),
  path_style_endpoint: z.boolean().optional(),
  s3_region: text.optional(),
  s3_endpoint: text.optional(),
  is_s3_access_key_set: z.boolean().optional(),
  is_s3_secret_key_set: z.boolean().optional(),
  sftp_host: text.optional(),
  sftp_port: z.int().nullable().optional(),
  sftp_username: text.optional(),
  sftp_path: text.optional(),
  sftp_host_key: text.optional(),
  is_sftp_password_set: z.boolean().optional(),
  is_sftp_private_key_set: z.boolean().optional(),
  deletes_at: Time.optional().openapi({
    description: "Set while it is in the trash: until then it can be taken back.",
  }),
  created_at: Time,
  updated_at: Time,
}).openapi("BackupDestination", { description: "The fields of its type, and those of no other." });

const backupDestination: Resource<BackupDestinationRow, z.output<typeof BackupDestination>> = {
  name: "Backup destination",
  plural: "Backup destinations",
  path: "/api/backup-destinations",
  schema: BackupDestination,
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
    created_at: "2024-08-07T00:00:00Z",
    updated_at: "2024-08-07T00:00:00Z",
  },
  present: (row) => ({
    id: row.id,
    user_id: row.user_id,
    label: row.label,
    type: row.type,
    type_human: TYPES_HUMAN[row.type],
    ...ofType(row),
    ...row.deletes_at === null ? {} : { deletes_at: isoTime(row.deletes_at) },
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }),
};

function ofType(row: BackupDestinationRow) {
  switch (row.type) {
    case "local":
      return { local_path: row.local_path };
    case "s3":
    case "custom_s3":
      return {
        s3_bucket_name: row.s3_bucket_name,
        path_style_endpoint: row.path_style_endpoint,
        s3_region: row.s3_region,
        ...(row.type === "custom_s3" ? { s3_endpoint: row.s3_endpoint } : {}),
        is_s3_access_key_set: row.s3_access_key_encrypted !== null,
        is_s3_secret_key_set: row.s3_secret_key_encrypted !== null,
      };
    case "sftp":
      return {
        sftp_host: row.sftp_host,
        sftp_port: row.sftp_port,
        sftp_username: row.sftp_username,
        sftp_path: row.sftp_path,
        sftp_host_key: row.sftp_host_key,
        is_sftp_password_set: row.sftp_password_encrypted !== null,
        is_sftp_private_key_set: row.sftp_private_key_encrypted !== null,
      };
  }
}

const CheckResult = z.object({
  ok: z.boolean(),
  steps: z.array(z.object(CheckStep.shape)),
}).openapi("BackupDestinationCheck");

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
    list: listBackupDestinations,
  }),
  createEndpoint(backupDestination, {
    access: "create-backup-destinations",
    body: NewBackupDestination,
    example: { label: "Second disk", type: "local", local_path: "/mnt/backups" },
    create: (services, caller, body) =>
      createBackupDestination(services, caller, { ...storedNames(body), label: body.label, type: body.type }),
  }),
  showEndpoint(backupDestination, { access: "view-backup-destinations", show: showBackupDestination }),
  updateEndpoint(backupDestination, {
    access: "update-backup-destinations",
    description:
      "A new type forgets the fields of the old one. While it holds backups, the bucket, endpoint, SFTP host, " +
      "port and user name stay, unless `objects_moved` says that everything was copied to the new ones; their " +
      "directories then follow a new path. A new path without it is for new backups only.",
    body: BackupDestinationChanges,
    example: { label: "Third disk", local_path: "/mnt/disk3" },
    errors: { 409: "Its type, bucket or server is changed while it holds backups." },
    update: (services, caller, destinationId, { objects_moved, ...body }) =>
      updateBackupDestination(services, caller, destinationId, storedNames(body), objects_moved),
  }),
  deleteEndpoint(backupDestination, {
    access: "delete-backup-destinations",
    description: "It goes to the trash, and administrators are told.",
    errors: { 409: "Backup tasks use it, or it holds backups and `forget` is not true." },
    query: ForgetQuery,
    isTrashed: true,
    remove: (services, caller, destinationId, query) =>
      deleteBackupDestination(services, caller, destinationId, query),
  }),
  undeleteEndpoint(backupDestination, {
    access: "delete-backup-destinations",
    description: "With the backups that were forgotten with it.",
    undelete: undeleteBackupDestination,
  }),
  endpoint({
    method: "post",
    path: "/api/backup-destinations/{id}/check",
    operationId: "checkBackupDestination",
    group: backupDestination.plural,
    summary: "Check a backup destination",
    description:
      "Writes, reads back and deletes a probe object. A bucket is checked from here; a local path and an SFTP " +
      "server by the agent of `remote_server_id`.",
    access: "update-backup-destinations",
    ids: { id: backupDestination.name },
    body: {
      schema: z.object({ remote_server_id: id().nullable().optional() }).openapi(
        "BackupDestinationCheckRequest",
      ),
      example: { remote_server_id: 2 },
    },
    errors: { 503: "The agent is not connected, or did not answer." },
    answer: {
      status: 200,
      description: "What was tried, up to the first step that failed.",
      content: {
        type: "application/json",
        schema: z.object({ data: CheckResult }),
        example: {
          data: { ok: true, steps: [{ name: "write", ok: true, message: "Wrote 66 bytes.", ms: 12 }] },
        },
      },
    },
    async handle({ services, caller, params, body }) {
      const data = await checkDestination(services, caller, params.id, body.remote_server_id ?? null);
      return { status: 200, body: { data } };
    },
  }),
];
