/** `destinations`: manages backup destinations. */
import { Argument, type Command, Option } from "commander";
import type { Schema } from "../../client/client.ts";
import {
  definitionOf,
  DESTINATION_TYPES,
  destinationDefinitions,
  type DestinationType,
} from "../../definitions/destinations/registry.ts";
import { SENT_FIELDS } from "../../definitions/destinations/settings.ts";
import { formatBytes } from "../../domain/byte_size.ts";
import { CommandError, EXIT } from "../command_error.ts";
import { calling, type Cli, parseId } from "../command_line.ts";
import { addBodyFlags, addCreate, bodyOf, type BodyOptions } from "../creation.ts";
import { addDelete, addUndelete, DESTINATION, FORGET } from "../deletion.ts";
import { addListOptions, type ListChoice, listChosen } from "../list_options.ts";
import type { Column } from "../output.ts";

type Destination = Schema<"BackupDestination">;

const COLUMNS: readonly Column<Destination>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Label", value: ({ label }) => label },
  { title: "Type", value: (destination) => destination.type_human },
  { title: "Place", value: describeLocation },
];

const TYPE = ["--type <type>", `where it is: ${DESTINATION_TYPES.join(", ")}`] as const;

interface TaskUsage {
  backup_task_id: number | null;
  label: string | null;
  stored_bytes: number;
  backups_count: number;
}

const USAGE_COLUMNS: readonly Column<TaskUsage>[] = [
  { title: "Task", align: "right", value: ({ backup_task_id }) => backup_task_id },
  { title: "Label", value: ({ label }) => label ?? "deleted tasks" },
  { title: "Stored", align: "right", value: ({ stored_bytes }) => formatBytes(stored_bytes) },
  { title: "Backups", align: "right", value: ({ backups_count }) => backups_count },
];

export function addDestinationCommands(program: Command): void {
  const destinations = program.command("destinations").description("Backup destinations");
  addListOptions(destinations.command("list"), ["type", "since", "until", "search", "sort"]).description(
    "List them",
  ).action(calling(list));
  destinations.command("show").addArgument(destinationId()).description("Show one").action(calling(show));
  destinations.command("usage").addArgument(destinationId()).description("Show what each task stores there")
    .action(calling(usage));
  addCreate(destinations, DESTINATION, [["--label <text>", "its name"], TYPE], SENT_FIELDS);
  addDelete(destinations, destinationId(), DESTINATION, FORGET);
  addUndelete(destinations, destinationId(), DESTINATION);
  addBodyFlags(
    destinations.command("check").argument(
      "[destination]",
      "its id; absent for one that is not saved",
      parseId,
    ),
    [TYPE],
    SENT_FIELDS,
  ).description(
    "Check a destination: write, read back and delete a probe object; fields are tested without being saved",
  )
    .addOption(
      new Option("--server <id>", "the server whose agent checks a local path, an SFTP or a WebDAV server")
        .argParser(
          parseId,
        ),
    )
    .action(calling(check));
}

function destinationId(): Argument {
  return new Argument("<destination>", "its id").argParser(parseId);
}

async function list({ api, output }: Cli, options: ListChoice): Promise<void> {
  output.list(
    await listChosen(api, "list destinations", DESTINATION.path, options),
    COLUMNS,
  );
}

async function show({ api, output }: Cli, id: number): Promise<void> {
  output.record(await api.get(`show destination ${id}`, `${DESTINATION.path}/{id}`, { id }));
}

async function usage({ api, output }: Cli, id: number): Promise<void> {
  const action = `show the usage of destination ${id}`;
  const body = await api.get(action, "/api/backup-destinations/{id}/usage", { id });
  output.answer(body, () => {
    const { tasks, ...totals } = body.data;
    output.rows(tasks, USAGE_COLUMNS);
    output.fields(totals);
  });
}

async function check(
  { api, output, terminal }: Cli,
  id: number | undefined,
  { server, ...options }: BodyOptions & { server?: number },
): Promise<void> {
  const fields = await bodyOf(DESTINATION, SENT_FIELDS, options);
  const isSaved = id !== undefined && Object.keys(fields).length === 0;
  const name = id === undefined ? "the destination" : `destination ${id}`;
  const body = { ...fields, remote_server_id: server };
  const checked = isSaved
    ? await api.post(`check ${name}`, `${DESTINATION.path}/{id}/check`, { id, body })
    : await api.post(`check ${name}`, `${DESTINATION.path}/check`, { body: { ...body, id } });
  const { ok, steps } = checked.data;
  output.answer(checked, () => {
    for (const step of steps) {
      const mark = step.ok ? terminal.paint("green", "ok    ") : terminal.paint("red", "failed");
      terminal.write(`${mark}  `);
      terminal.print(`${step.name}: ${step.message.replaceAll("\n", " ")} (${step.ms} ms)\n`);
    }
  });
  const failed = steps.find((step) => !step.ok);
  if (ok) return;
  throw new CommandError(EXIT.failed, `Cannot use ${name}: ${failed?.message ?? "a step failed"}`);
}

/** Returns a destination's location in short; empty for a type that this version does not support. */
function describeLocation({ type, ...fields }: Pick<Destination, "type" | "label">): string {
  return type in destinationDefinitions ? definitionOf(type as DestinationType).location(fields) : "";
}
