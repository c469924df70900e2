/** Defines the endpoints of `/api/recovery-kit`. */
import { z } from "@hono/zod-openapi";
import { recoveryKit } from "../../../services/installation/recovery_kit.ts";
import {
  confirmRecoveryKit,
  type RecoveryKitStatus,
  recoveryKitStatus,
} from "../../../services/installation/recovery_kit_copies.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";

const RecoveryKit = z.object({
  made_at: Time,
  program: z.object({
    version: z.string(),
    deno: z.string(),
    directory: z.string().openapi({
      description: "Directory of its source, on the control plane's machine.",
    }),
  }),
  database: z.string(),
  secret_key: z.object({
    place: z.string().openapi({ description: "Where the control plane reads it." }),
    key_ids: z.array(z.string()).openapi({
      description: "Ids of the keys that stored secrets are sealed with.",
    }),
  }),
  destinations: z.array(z.object({
    id: z.int(),
    label: z.string(),
    owner: z.string(),
    place: z.string(),
    backups_count: z.int(),
    newest_backup_at: Time.nullable(),
    needs_password: z.boolean(),
    recipients: z.array(z.string()),
  })),
  control_plane: z.array(z.object({
    place: z.string(),
    file_name: z.string(),
    encryption: z.string(),
    created_at: Time,
  })).openapi({ description: "The newest backup of the control plane itself at each destination." }),
  commands: z.array(z.object({ purpose: z.string(), lines: z.array(z.string()) })),
}).openapi("RecoveryKit");

const Status = z.object({
  kept_at: Time.nullable().openapi({
    description: "When an administrator last confirmed that a copy is kept elsewhere. Null: nobody has.",
  }),
  is_current: z.boolean().openapi({ description: "Whether that copy names every destination and key." }),
  missing: z.array(z.string()).openapi({ description: "What that copy lacks, one sentence each." }),
}).openapi("RecoveryKitStatus");

const statusContent = {
  type: "application/json",
  schema: z.object({ data: Status }),
  example: { data: { kept_at: "2024-08-07T00:00:00Z", is_current: true, missing: [] } },
};

function presentStatus(status: RecoveryKitStatus): z.output<typeof Status> {
  return { ...status, kept_at: isoTimeOrNull(status.kept_at) };
}

export const recoveryKitEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/recovery-kit",
    needsFreshLogin: true,
    operationId: "showRecoveryKit",
    group: "System",
    summary: "Show the recovery kit",
    description:
      "For printing: where every backup is, which keys decrypt what, and the commands. Contains no secrets.",
    access: "admin",
    audited: true,
    answer: {
      status: 200,
      description: "The recovery kit, of all users.",
      content: {
        type: "application/json",
        schema: z.object({ data: RecoveryKit }),
        example: {
          data: {
            made_at: "2024-08-07T00:00:00Z",
            program: { version: "0.1.0", deno: "2.9.6", directory: "/opt/rearguard" },
            database: "PostgreSQL, database rearguard of user rearguard at db.example.com:5432",
            secret_key: { place: "the file /var/lib/rearguard/secret.key", key_ids: ["1f3a9c0e"] },
            destinations: [{
              id: 1,
              label: "Bucket",
              owner: "ada@example.com",
              place: "Amazon S3, bucket backups (eu-central-1)",
              backups_count: 12,
              newest_backup_at: "2024-08-07T00:00:00Z",
              needs_password: true,
              recipients: [],
            }],
            control_plane: [{
              place: "Amazon S3, bucket backups (eu-central-1), rearguard",
              file_name: "backup_3_20240807000000.sql.zst.age",
              encryption: "password",
              created_at: "2024-08-07T00:00:00Z",
            }],
            commands: [{ purpose: "Whether an object is whole", lines: ["sha256sum NAME"] }],
          },
        },
      },
    },
    async handle({ services }) {
      const kit = await recoveryKit(services);
      const destinations = kit.destinations.map((each) => ({
        ...each,
        newest_backup_at: isoTimeOrNull(each.newest_backup_at),
      }));
      const control_plane = kit.control_plane.map((each) => ({
        ...each,
        created_at: isoTime(each.created_at),
      }));
      const data = { ...kit, made_at: isoTime(kit.made_at), destinations, control_plane };
      return { status: 200, body: { data } };
    },
  }),
  endpoint({
    method: "get",
    path: "/api/recovery-kit/status",
    operationId: "showRecoveryKitStatus",
    group: "System",
    summary: "Show whether a copy of the recovery kit is kept",
    access: "admin",
    answer: { status: 200, description: "When a copy was kept, and what it lacks.", content: statusContent },
    handle: async ({ services }) => ({
      status: 200,
      body: { data: presentStatus(await recoveryKitStatus(services)) },
    }),
  }),
  endpoint({
    method: "post",
    path: "/api/recovery-kit/kept",
    operationId: "confirmRecoveryKit",
    group: "System",
    summary: "Confirm that a copy of the recovery kit is kept elsewhere",
    description: "Until then, and when a destination or a key is added, administrators are reminded.",
    access: "admin",
    answer: { status: 200, description: "The status afterwards.", content: statusContent },
    handle: async ({ services, caller }) => ({
      status: 200,
      body: { data: presentStatus(await confirmRecoveryKit(services, caller)) },
    }),
  }),
];
