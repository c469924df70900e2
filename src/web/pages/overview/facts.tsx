/** The last proven restore, the growth of storage, and how many servers are connected. */
import type { Answer } from "../../../client/client.ts";
import { Sparkline } from "../../components/chart.tsx";
import { Bytes, count, counted } from "../../components/number.tsx";
import { Mark } from "../../components/status.tsx";
import { Ago, Duration } from "../../components/time.tsx";
import { formatBytes } from "../../../domain/byte_size.ts";
import type { View } from "../../view.ts";

type Overview = Answer<"/api/overview">["data"];

export function Proven({ view, proven }: { view: View; proven: Overview["last_proven"] }) {
  return (
    <section class="section" aria-labelledby="proven">
      <header>
        <h2 id="proven">Last proven restore</h2>
        <a class="small" href={view.path("/verification")}>All proofs</a>
      </header>
      {proven === null
        ? (
          <p>
            <Mark icon="warn" tone="warn" text="No restore is proven yet." />{" "}
            <span class="muted">A drill restores a backup on trial and compares it.</span>
          </p>
        )
        : (
          <p>
            <Mark icon="good" tone="good" text="Proven" />{" "}
            <a href={view.path(`/tasks/${proven.backup_task_id}`)}>{proven.label}</a>{" "}
            <span class="muted">
              <Ago view={view} at={proven.at} />, restored in <Duration ms={proven.restore_duration_ms} />
            </span>
          </p>
        )}
    </section>
  );
}

/** Number of days that the chart of stored bytes covers. */
const DAYS = 90;

export function Growth({ view, storage }: { view: View; storage: Answer<"/api/history/storage">["data"] }) {
  const days = storage.days.slice(-DAYS);
  const [first, last] = [days[0]?.stored_bytes ?? 0, days.at(-1)?.stored_bytes ?? 0];
  const change = last - first;
  return (
    <section class="section" aria-labelledby="stored">
      <header>
        <h2 id="stored">Stored</h2>
        <a class="small" href={view.path("/destinations")}>Destinations</a>
      </header>
      <div class="beside">
        <Sparkline
          label={`Stored bytes of the last ${DAYS} days: from ${formatBytes(first)} to ${formatBytes(last)}`}
          values={days.map(({ stored_bytes }) => stored_bytes)}
        />
        <p>
          <Bytes value={last} />{" "}
          <span class="muted">
            in {counted(days.at(-1)?.backups_count ?? 0, "backup")}, {change < 0 ? "−" : "+"}
            {formatBytes(Math.abs(change))} in {DAYS} days
          </span>
        </p>
      </div>
    </section>
  );
}

export function ServersNow({ view, servers }: { view: View; servers: Overview["servers"] }) {
  const parts = [
    { number: servers.disconnected, icon: "bad", tone: "bad", word: "disconnected" },
    { number: servers.connected, icon: "good", tone: "good", word: "connected" },
    { number: servers.asleep, icon: "asleep", tone: "quiet", word: "asleep" },
    { number: servers.unknown, icon: "none", tone: "quiet", word: "never connected" },
  ] as const;
  const shown = parts.filter(({ number }) => number > 0);
  return (
    <section class="section" aria-labelledby="servers">
      <header>
        <h2 id="servers">Servers</h2>
        <a class="small" href={view.path("/servers")}>All servers</a>
      </header>
      <p class="marks">
        {shown.length === 0 ? <span class="muted">No server is added.</span> : null}
        {shown.map(({ number, icon, tone, word }) => (
          <Mark key={word} icon={icon} tone={tone} text={`${count(number)} ${word}`} />
        ))}
      </p>
    </section>
  );
}
