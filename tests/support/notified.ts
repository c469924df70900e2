/** Notification streams as rows: tests send to servers of their own, which have no https address. */
import type { Services } from "../../src/services/context.ts";

export interface StreamFields {
  type?: string;
  /** In plain text. */
  value?: string;
  on_success?: boolean;
  on_failure?: boolean;
}

/** Returns its id. `taskId`: the task that tells of its runs here; null for none. */
export async function newStream(
  services: Services,
  { userId, taskId }: { userId: number; taskId: number | null },
  {
    type = "webhook",
    value = "https://example.test/hook",
    on_success = true,
    on_failure = true,
  }: StreamFields = {},
): Promise<number> {
  const sql = services.database;
  const now = services.clock.now();
  const row = {
    user_id: userId,
    label: "stream",
    type,
    value_encrypted: services.keyring.encrypt(value),
    on_success,
    on_failure,
    created_at: now,
    updated_at: now,
  };
  const [stream] = await sql<{ id: number }[]>`insert into notification_streams ${sql(row)} returning id`;
  if (taskId !== null) {
    await sql`
      insert into backup_task_notification_streams (backup_task_id, notification_stream_id)
      values (${taskId}, ${stream!.id})`;
  }
  return stream!.id;
}
