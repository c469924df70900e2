/** `streams`: manages notification streams. */
import { Argument, type Command } from "commander";
import type { Schema } from "../../client/client.ts";
import { NOTIFICATION_STREAM_FIELDS } from "../../definitions/notification_stream_fields.ts";
import { EVENT_CLASS_NAMES, subscribedClasses } from "../../domain/notifications/event_classes.ts";
import { CommandError, EXIT } from "../command_error.ts";
import { calling, type Cli, parseId } from "../command_line.ts";
import { addCreate, addUpdate } from "../creation.ts";
import { addDelete, STREAM } from "../deletion.ts";
import { addListOptions, type ListChoice, listChosen } from "../list_options.ts";
import type { Column } from "../output.ts";

type Delivery = Schema<"NotificationDelivery">;
/** Older control planes do not send `events`. */
type Stream =
  & Omit<Schema<"NotificationStream">, "events">
  & Partial<Pick<Schema<"NotificationStream">, "events">>;

const COLUMNS: readonly Column<Stream>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Label", value: ({ label }) => label },
  { title: "Type", value: (stream) => stream.type_human },
  { title: "Told of", value: eventsOf },
  { title: "Last delivery", value: (stream) => stream.last_delivery?.at ?? null },
  { title: "Status", value: statusOf },
];

const DELIVERIES: readonly Column<Delivery>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Created", value: (delivery) => delivery.created_at },
  { title: "Event", value: ({ event }) => event },
  { title: "About", value: ({ server, task }) => (task ?? server)?.label ?? null },
  { title: "State", value: ({ state }) => state },
  { title: "Attempts", align: "right", value: ({ attempts }) => attempts },
  { title: "Finished", value: (delivery) => delivery.finished_at },
  { title: "Error", value: ({ error }) => error },
];

const FLAGS = [["--label <text>", "its name"], ["--type <type>", "such as email or webhook"]] as const;

export function addStreamCommands(program: Command): void {
  const streams = program.command("streams").description(
    "Manages notification streams, which get messages about runs",
  );
  addListOptions(streams.command("list"), ["type", "search", "sort"]).description("List them").action(
    calling(list),
  );
  streams.command("show").addArgument(streamId()).description("Show one").action(calling(show));
  addCreate(streams, STREAM, FLAGS, NOTIFICATION_STREAM_FIELDS);
  addUpdate(streams, streamId(), STREAM, FLAGS, NOTIFICATION_STREAM_FIELDS);
  addDelete(streams, streamId(), STREAM);
  addListOptions(streams.command("deliveries").addArgument(streamId()), ["state", "event", "sort"])
    .description("List the messages to one: those that wait, and those of the last week")
    .action(calling(listDeliveries));
  streams.command("test").addArgument(streamId())
    .description("Send a test message; the exit code shows whether it was accepted")
    .action(calling(test));
}

function streamId(): Argument {
  return new Argument("<stream>", "its id").argParser(parseId);
}

async function list({ api, output }: Cli, options: ListChoice): Promise<void> {
  output.list(
    await listChosen(api, "list notification streams", STREAM.path, options),
    COLUMNS,
  );
}

async function show({ api, output }: Cli, id: number): Promise<void> {
  output.record(await api.get(`show notification stream ${id}`, `${STREAM.path}/{id}`, { id }));
}

async function listDeliveries({ api, output }: Cli, id: number, options: ListChoice): Promise<void> {
  const action = `list the deliveries of notification stream ${id}`;
  output.list(
    await listChosen(api, action, `${STREAM.path}/{id}/deliveries`, options, { id }),
    DELIVERIES,
  );
}

async function test({ api, output, terminal }: Cli, id: number): Promise<void> {
  const sent = await api.post(`test notification stream ${id}`, `${STREAM.path}/{id}/test`, { id });
  const { ok, message } = sent.data;
  output.answer(sent, () => {
    if (ok) terminal.print(`${message}\n`);
  });
  if (!ok) throw new CommandError(EXIT.failed, `Cannot use notification stream ${id}: ${message}`);
}

/**
 * Describes the events that a stream gets. First come the groups that the stream's flags select: `success`
 * and `failure`. Then come the event classes that are exceptions from the flags: `+` and the class if the
 * stream gets it, `-` and the class if it does not.
 */
function eventsOf({ events, notifications }: Stream): string {
  const { on_failure, on_success } = notifications;
  const plain = subscribedClasses({ ...notifications, events: {} });
  return [
    ...on_success ? ["success"] : [],
    ...on_failure ? ["failure"] : [],
    ...EVENT_CLASS_NAMES.filter((name) => (events?.[name] ?? plain[name]) !== plain[name])
      .map((name) => `${events?.[name] ? "+" : "-"}${name}`),
  ].join(", ");
}

function statusOf({ last_delivery }: Stream): string | null {
  if (last_delivery === null) return null;
  return last_delivery.ok ? "successful" : "failed";
}
