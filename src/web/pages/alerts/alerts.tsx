/** The page `/alerts`: who is notified of which events, and whether messages arrive. */
import type { RowOf } from "../../../client/client.ts";
import { EVENT_CLASS_NAMES, EVENT_CLASSES } from "../../../domain/notifications/event_classes.ts";
import { Icon } from "../../components/icon.tsx";
import { Live } from "../../components/live.tsx";
import { Mark } from "../../components/status.tsx";
import { type Column, Empty, Pages, Table } from "../../components/table.tsx";
import { Ago } from "../../components/time.tsx";
import { addPage } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";

export type Stream = RowOf<"/api/notification-streams">;

/** Says whether a stream's service accepts messages. */
export function DeliveryStatus({ view, stream }: { view: View; stream: Stream }) {
  const { failing_since: failing, last_delivery: last } = stream;
  if (failing !== null) {
    return (
      <>
        <Mark icon="bad" tone="bad" text="Fails" />{" "}
        <span class="muted">
          since <Ago view={view} at={failing} />
        </span>
      </>
    );
  }
  if (last === null) return <Mark icon="none" tone="quiet" text="Nothing sent yet" />;
  return (
    <>
      <Mark icon="good" tone="good" text="Accepted" />{" "}
      <span class="muted">
        <Ago view={view} at={last.at} />
      </span>
    </>
  );
}

function columnsOf(view: View): Column<Stream>[] {
  return [
    {
      label: "Stream",
      kind: "main",
      cell: ({ id, label }) => <a href={view.path(`/alerts/${id}`)}>{label}</a>,
    },
    { label: "Type", cell: ({ type_human }) => type_human },
    { label: "Last message", cell: (stream) => <DeliveryStatus view={view} stream={stream} /> },
    { label: "Why it fails", cell: ({ last_delivery }) => <span class="clamp">{last_delivery?.error}</span> },
    {
      label: "Quiet hours",
      kind: "wide",
      cell: ({ quiet_from, quiet_to }) => quiet_from === null ? "" : `${quiet_from} to ${quiet_to}`,
    },
    {
      label: "Summary",
      kind: "wide",
      cell: ({ summary }) => summary === "off" ? <span class="muted">off</span> : summary,
    },
  ];
}

/** Which stream gets which events: a row for each class of events, and a column for each stream. */
function Matrix({ view, streams }: { view: View; streams: readonly Stream[] }) {
  return (
    <section class="section" aria-labelledby="matrix">
      <h2 id="matrix">Who is told of what</h2>
      <div class="scroll matrix" tabindex={0} role="group" aria-label="Who is told of what">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Event</th>
              {streams.map(({ id, label }) => (
                <th key={id} scope="col">
                  <a href={view.path(`/alerts/${id}`)}>{label}</a>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {EVENT_CLASS_NAMES.map((name) => <MatrixRow key={name} name={name} streams={streams} />)}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function MatrixRow({ name, streams }: { name: keyof Stream["events"]; streams: readonly Stream[] }) {
  const { help, isAlert, label } = EVENT_CLASSES[name];
  const isUnheard = isAlert && streams.every(({ events }) => !events[name]);
  return (
    <tr class={isUnheard ? "warn" : undefined}>
      <th scope="row" class="main" title={help}>
        {label}
        {isUnheard ? <span class="muted small">, nobody is told</span> : null}
      </th>
      {streams.map(({ id, label: stream, events }) => (
        <td key={id} data-label={stream}>
          {events[name]
            ? (
              <span class="status good">
                <Icon name="good" />
                <span class="hidden">told</span>
              </span>
            )
            : <span class="muted">–</span>}
        </td>
      ))}
    </tr>
  );
}

function AlertsPage({ view, list }: { view: View; list: ListPage<Stream> }) {
  const add = view.may("create-notification-streams")
    ? <a class="button" href={view.path("/alerts/new")}>Add a stream</a>
    : undefined;
  return (
    <>
      <PageHeading
        view={view}
        title="Alerts"
        lead="Each stream sends messages to one place, such as a mailbox or a channel."
      >
        {add}
      </PageHeading>
      <Live view={view} id="alerts" topics={["alerts"]}>
        {list.rows.length === 0
          ? (
            <Empty title="Nobody is told when a backup fails.">
              <p class="muted">A stream tells you of failed, late and missing backups.</p>
              {add}
            </Empty>
          )
          : (
            <>
              <Table
                view={view}
                caption="Streams"
                columns={columnsOf(view)}
                rows={list.rows}
                keyOf={(stream) => stream.id}
                toneOf={({ failing_since }) => failing_since === null ? undefined : "bad"}
              />
              <Pages view={view} list={list} />
              <Matrix view={view} streams={list.rows} />
            </>
          )}
      </Live>
    </>
  );
}

export function addAlertsPage(site: Site): void {
  addPage(site, "/alerts", async (view) => {
    const list = await view.list("/api/notification-streams", {
      query: { per_page: 25, page: view.query("page") },
    });
    return { title: "Alerts", content: <AlertsPage view={view} list={list} /> };
  });
}
