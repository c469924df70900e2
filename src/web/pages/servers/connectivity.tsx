/** When the agents of servers were connected: a strip of days, and the absences. */
import type { Answer } from "../../../client/client.ts";
import { Strip } from "../../components/chart.tsx";
import type { Tone } from "../../components/status.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { Duration, ExactTime } from "../../components/time.tsx";
import type { View } from "../../view.ts";

export type Connectivity = Answer<"/api/remote-servers/{id}/connectivity">["data"];
type Uptime = Answer<"/api/remote-servers/connectivity">["data"][number];
type Days = Uptime["days"];

/** The days of each listed server, by its id. */
export type Uptimes = ReadonlyMap<number, Pick<Uptime, "uptime" | "days">>;

export async function readUptimes(view: View, servers: readonly { readonly id: number }[]): Promise<Uptimes> {
  if (servers.length === 0) return new Map();
  const ids = servers.map(({ id }) => id).join(",");
  const uptimes = await view.get("/api/remote-servers/connectivity", { query: { ids } });
  return new Map(uptimes.map((each) => [each.remote_server_id, each]));
}

/** Formats a share of time. Only a time without any absence is 100 %. */
function shareOfTime(share: number): string {
  const percent = Math.min(share * 100, share < 1 ? 99.99 : 100);
  return `${percent >= 99 && percent < 100 ? percent.toFixed(2) : Math.round(percent)} %`;
}

/** A day counts as good down to this share. A restart of a server takes less than the rest. */
const GOOD = 0.99;

function toneOf(uptime: number | null, isIntermittent: boolean): Tone | "none" {
  if (uptime === null) return "none";
  if (isIntermittent) return uptime > 0 ? "good" : "quiet";
  return uptime >= GOOD ? "good" : uptime >= 0.5 ? "warn" : "bad";
}

interface StripProps {
  readonly days: Days;
  readonly uptime: number | null;
  /** Whether absences of the server are normal, such as of a laptop. */
  readonly isIntermittent: boolean;
}

/** A strip with a bar for each day. */
export function DayStrip({ days, uptime, isIntermittent }: StripProps) {
  const items = days.map(({ date, uptime: share }) => ({
    tone: toneOf(share, isIntermittent),
    title: `${date}: ${share === null ? "not recorded" : `connected ${shareOfTime(share)}`}`,
  }));
  const label = uptime === null
    ? "Not recorded yet"
    : `Connected ${shareOfTime(uptime)} of ${days.length} days`;
  return <Strip label={label} items={items} />;
}

interface Absence {
  readonly from: string;
  /** Null while it lasts. */
  readonly until: string | null;
}

/** Returns the times between the connections, the newest first. */
function absencesOf(intervals: Connectivity["intervals"]): Absence[] {
  return intervals.flatMap(({ disconnected_at: from }, index) =>
    from === null ? [] : [{ from, until: intervals[index + 1]?.connected_at ?? null }]
  ).toReversed();
}

/** Number of absences on the page of a server. */
const SHOWN = 10;

interface SectionProps {
  readonly view: View;
  readonly connectivity: Connectivity;
  readonly isIntermittent: boolean;
}

export function ConnectivitySection({ view, connectivity, isIntermittent }: SectionProps) {
  const { days, intervals, recorded_since, uptime } = connectivity;
  if (recorded_since === null) return null;
  const absences = absencesOf(intervals);
  const columns: Column<Absence>[] = [
    { label: "Absent since", kind: "main", cell: ({ from }) => <ExactTime view={view} at={from} /> },
    { label: "Until", cell: ({ until }) => <ExactTime view={view} at={until} none="now" /> },
    {
      label: "For",
      kind: "number",
      cell: ({ from, until }) => (
        <Duration ms={(until === null ? view.now.getTime() : Date.parse(until)) - Date.parse(from)} />
      ),
    },
  ];
  return (
    <section class="section" aria-labelledby="connectivity">
      <header>
        <h2 id="connectivity">Connectivity</h2>
        <p class="muted small">
          {uptime === null ? "" : `connected ${shareOfTime(uptime)} of the time; `}
          recorded since <ExactTime view={view} at={recorded_since} />
        </p>
      </header>
      <DayStrip days={days} uptime={uptime} isIntermittent={isIntermittent} />
      {absences.length === 0 ? <p class="muted">No absence of a minute or more.</p> : (
        <Table
          view={view}
          caption="Absences, the newest first"
          columns={columns}
          rows={absences.slice(0, SHOWN)}
          keyOf={({ from }) => from}
        />
      )}
      {absences.length > SHOWN
        ? <p class="muted small">These are the last {SHOWN} of {absences.length}.</p>
        : null}
    </section>
  );
}
