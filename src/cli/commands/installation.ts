/** `installation`: shows the control planes, the queue, the database and the keys. */
import type { Command } from "commander";
import { formatBytes } from "../../domain/byte_size.ts";
import type { Answer } from "../../client/client.ts";
import { calling, type Cli } from "../command_line.ts";
import type { Column } from "../output.ts";

type Replica = Answer<"/api/installation">["data"]["replicas"][number];

const COLUMNS: readonly Column<Replica>[] = [
  {
    title: "Control plane",
    value: ({ id, name, is_this }) => `${name ?? id}${is_this ? " (this one)" : ""}`,
  },
  { title: "Version", value: ({ version }) => version ?? "unknown" },
  { title: "Started", value: ({ started_at }) => started_at },
  { title: "Status", value: ({ is_alive }) => is_alive ? "running" : "stopped" },
  { title: "Agents", align: "right", value: ({ agents_count }) => agents_count },
  { title: "Runs", align: "right", value: ({ running_runs_count }) => running_runs_count },
  { title: "Safe to stop", value: ({ is_safe_to_stop }) => is_safe_to_stop ? "yes" : "no" },
  { title: "If it stops", value: ({ stop_note }) => stop_note },
];

export function addInstallationCommand(program: Command): void {
  program.command("installation")
    .description("The control planes, the queue, the database and the keys, for administrators")
    .action(calling(installation));
}

async function installation({ api, output }: Cli): Promise<void> {
  const body = await api.get("show the installation", "/api/installation");
  const { replicas, loops: _, database, ...rest } = body.data;
  output.answer(body, () => {
    output.rows(replicas, COLUMNS);
    output.fields({ ...rest, database: { ...database, size_bytes: formatBytes(database.size_bytes) } });
  });
}
