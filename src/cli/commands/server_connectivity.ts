/** `servers connectivity`: shows when the agents of servers were connected. */
import { Argument, type Command } from "commander";
import type { Answer } from "../../client/client.ts";
import { calling, type Cli, parseId } from "../command_line.ts";
import type { Column } from "../output.ts";

type Uptime = Answer<"/api/remote-servers/connectivity">["data"][number];
type Interval = Answer<"/api/remote-servers/{id}/connectivity">["data"]["intervals"][number];

interface RangeOptions {
  readonly from?: string;
  readonly to?: string;
  readonly timezone?: string;
}

const SERVERS: readonly Column<Uptime>[] = [
  { title: "ID", align: "right", value: ({ remote_server_id }) => remote_server_id },
  { title: "Label", value: ({ label }) => label },
  { title: "Connected", align: "right", value: ({ uptime }) => percent(uptime) },
  { title: "Worst day", value: ({ days }) => worstDay(days) },
];

const INTERVALS: readonly Column<Interval>[] = [
  { title: "Connected", value: ({ connected_at }) => connected_at },
  { title: "Disconnected", value: ({ disconnected_at }) => disconnected_at ?? "still connected" },
];

export function addConnectivityCommand(command: Command): void {
  command.description("When agents were connected, in the last 30 days")
    .addArgument(
      new Argument("[server]", "the id of a server; default: a summary of each").argParser(parseId),
    )
    .option("--from <day>", "the first day, such as 2026-01-31; 90 days are kept")
    .option("--to <day>", "the last day; default: today")
    .option("--timezone <name>", "the time zone of the days; default: your own")
    .action(calling(connectivity));
}

async function connectivity(
  { api, output }: Cli,
  id: number | undefined,
  { from, to, timezone }: RangeOptions,
): Promise<void> {
  const query = { from, to, timezone };
  if (id === undefined) {
    const body = await api.get("show connections", "/api/remote-servers/connectivity", { query });
    return output.answer(body, () => output.rows(body.data, SERVERS));
  }
  const action = `show the connections of server ${id}`;
  const body = await api.get(action, "/api/remote-servers/{id}/connectivity", { id, query });
  output.answer(body, () => {
    output.rows(body.data.intervals, INTERVALS);
    output.terminal.write(`Connected for ${percent(body.data.uptime)} of the recorded time.\n`);
  });
}

function percent(share: number | null): string {
  return share === null ? "unknown" : `${(share * 100).toFixed(2)} %`;
}

function worstDay(days: Uptime["days"]): string {
  const known = days.flatMap(({ date, uptime }) => uptime === null ? [] : [{ date, uptime }]);
  const [worst] = known.toSorted((a, b) => a.uptime - b.uptime);
  return worst === undefined || worst.uptime === 1 ? "" : `${worst.date}: ${percent(worst.uptime)}`;
}
