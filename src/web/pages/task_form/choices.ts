/** Reads the records that a person can choose in the form of a task, such as servers and destinations. */
import type { Choice } from "../../components/form.tsx";
import type { View } from "../../view.ts";

const ALL = { query: { per_page: 100 } };

export async function readChoices(view: View): Promise<Record<string, Choice[]>> {
  const [servers, destinations, tags, streams, scripts] = await Promise.all([
    view.list("/api/remote-servers", ALL),
    view.list("/api/backup-destinations", ALL),
    view.list("/api/tags", ALL),
    view.list("/api/notification-streams", ALL),
    view.list("/api/scripts", ALL),
  ]);
  const choices = (rows: readonly { id: number; label: string }[]) =>
    rows.map(({ id, label }) => ({ value: id, label }));
  return {
    remote_server_id: choices(servers.rows),
    backup_destination_id: choices(destinations.rows),
    tag_ids: choices(tags.rows),
    notification_stream_ids: choices(streams.rows),
    script_ids: choices(scripts.rows),
  };
}
