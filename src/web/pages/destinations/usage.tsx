/** The usage of a destination: the stored bytes, their growth, and the cost. */
import type { Answer } from "../../../client/client.ts";
import { formatBytes } from "../../../domain/byte_size.ts";
import { Meter, Sparkline } from "../../components/chart.tsx";
import { Bytes, Count, count, percent } from "../../components/number.tsx";
import { Mark } from "../../components/status.tsx";
import { type Column, Table } from "../../components/table.tsx";
import type { View } from "../../view.ts";
import type { Destination } from "./record.ts";

type Usage = Answer<"/api/backup-destinations/{id}/usage">["data"];
type TaskUsage = Usage["tasks"][number];

/** If a destination will be full within this number of days, the page marks this as a warning. */
const SOON = 30;

export function Growth({ usage }: { usage: Destination["usage"] }) {
  const { growth_bytes_per_day: growth } = usage;
  if (growth === null) return <span class="muted">not known yet</span>;
  return <span class="number">{growth < 0 ? "−" : "+"}{formatBytes(Math.abs(growth))} a day</span>;
}

export function FullIn({ usage: { days_until_full: days } }: { usage: Destination["usage"] }) {
  if (days === null) return <span class="muted">–</span>;
  return days <= SOON
    ? <Mark icon="warn" tone="warn" text={`${count(days)} d`} />
    : <span class="number">{count(days)} d</span>;
}

export function Cost({ destination }: { destination: Destination }) {
  const { usage: { cost_per_month: cost } } = destination;
  if (cost === null) return <span class="muted">no price set</span>;
  const currency = String(destination.currency ?? "");
  return <span class="number">{cost.toFixed(2)} {currency} a month</span>;
}

function columnsOf(view: View, total: number): Column<TaskUsage>[] {
  return [
    {
      label: "Task",
      kind: "main",
      cell: ({ backup_task_id: id, label }) =>
        id === null ? "Deleted tasks" : <a href={view.path(`/tasks/${id}`)}>{label}</a>,
    },
    { label: "Stored", kind: "number", cell: ({ stored_bytes }) => <Bytes value={stored_bytes} /> },
    { label: "Backups", kind: "number", cell: ({ backups_count }) => <Count value={backups_count} /> },
    {
      label: "Share",
      kind: "wide",
      cell: ({ stored_bytes }) => {
        const share = total === 0 ? 0 : stored_bytes / total;
        return (
          <span class="space">
            <Meter label={percent(share)} share={share} />
            <span class="number small">{percent(share)}</span>
          </span>
        );
      },
    },
  ];
}

/** Maximum number of tasks that the page of a destination lists, those that store the most first. */
const LISTED = 50;

interface UsageProps {
  readonly view: View;
  readonly usage: Usage;
  readonly days: Answer<"/api/history/storage">["data"]["days"];
}

export function UsageSection({ view, usage, days }: UsageProps) {
  const values = days.map(({ stored_bytes }) => stored_bytes);
  return (
    <section class="section" aria-labelledby="usage">
      <h2 id="usage">Stored there</h2>
      <Sparkline
        label={`Stored bytes of a year: from ${formatBytes(values[0] ?? 0)} to ${
          formatBytes(values.at(-1) ?? 0)
        }`}
        values={values}
      />
      {usage.tasks.length === 0 ? <p class="muted">No backup is stored there yet.</p> : (
        <Table
          view={view}
          caption="What is stored, by task"
          columns={columnsOf(view, usage.stored_bytes)}
          rows={usage.tasks.slice(0, LISTED)}
          keyOf={({ backup_task_id }) => backup_task_id ?? "deleted"}
        />
      )}
      {usage.tasks.length <= LISTED
        ? null
        : <p class="muted small">{count(usage.tasks.length - LISTED)} more tasks store less there.</p>}
    </section>
  );
}
