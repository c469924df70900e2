/** Notification streams as rows: tests send to servers of their own, which have no https address. */
import type { Services } from "../../src/services/context.ts";
import type { Planted } from "./planted.ts";

export interface StreamFields {
  type?: string;
  /** In plain text. */
  value?: string;
  on_success?: boolean;
  on_failure?: boolean;
  /** Whether the task tells of its runs here. */
  attached?: boolean;
}

/** Returns its id. */
export async function newStream(
  services: Services,
  { caller, taskId }: Pick<Planted, "caller" | "taskId">,
  {
    type = "webhook",
    value = "https://example.test/hook",
    on_success = true,
    on_failure = true,
    attached = true,
  }: StreamFields = {},
): Promise<number> {
  const sql = services.database;
  const now = services.clock.now();
  const row = {
    user_id: caller.userId,
    label: "stream",
    type,
    value_encrypted: services.keyring.encrypt(value),
    on_success,
    on_failure,
    created_at: now,
    updated_at: now,
  };
  const [stream] = await sql<{ id: number }[]>`insert into notification_streams ${sql(row)} returning id`;
  if (attached) {
    await sql`
      insert into backup_task_notification_streams (backup_task_id, notification_stream_id)
      values (${taskId}, ${stream!.id})`;
  }
  return stream!.id;
}
