/**
 * The page of one notification stream, which lists the stream's deliveries. Also the pages with the forms
 * that add and change a stream.
 */
import type { RowOf } from "../../../client/client.ts";
import { Confirm, Elsewhere, PostButton } from "../../components/form.tsx";
import { Live } from "../../components/live.tsx";
import { Mark } from "../../components/status.tsx";
import { type Column, Empty, Pages, Table } from "../../components/table.tsx";
import { Moment } from "../../components/time.tsx";
import { setFlash } from "../../flash.ts";
import { addAction, addPage, addSimpleAction, type PageContent, refused } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import { path, type Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import { DeliveryStatus, type Stream } from "./alerts.tsx";
import {
  newValues,
  streamBody,
  StreamForm,
  type StreamFormState,
  TypeChoice,
  typedStream,
} from "./stream_form.tsx";

type Delivery = RowOf<"/api/notification-streams/{id}/deliveries">;

const TRAIL = [{ label: "Alerts", path: "/alerts" }];

const STATES = {
  sent: { icon: "good", tone: "good", text: "Accepted" },
  waiting: { icon: "queued", tone: "quiet", text: "Waits" },
  given_up: { icon: "bad", tone: "bad", text: "Given up" },
} as const;

function columnsOf(view: View): Column<Delivery>[] {
  return [
    { label: "When", cell: ({ created_at }) => <Moment view={view} at={created_at} /> },
    { label: "Event", kind: "main", cell: ({ event }) => event },
    {
      label: "About",
      cell: ({ task, server }) =>
        task !== null
          ? <a href={view.path(`/tasks/${task.id}`)}>{task.label}</a>
          : server !== null
          ? <a href={view.path(`/servers/${server.id}`)}>{server.label}</a>
          : "",
    },
    {
      label: "State",
      cell: ({ state }) =>
        Object.hasOwn(STATES, state) ? <Mark {...STATES[state as keyof typeof STATES]} /> : state,
    },
    { label: "Attempts", kind: "number", cell: ({ attempts }) => String(attempts) },
    { label: "Reason", cell: ({ reason }) => <span class="clamp">{reason}</span> },
    { label: "Why it was not accepted", cell: ({ error }) => <span class="clamp">{error}</span> },
  ];
}

interface StreamProps {
  readonly view: View;
  readonly stream: Stream;
  readonly deliveries: ListPage<Delivery>;
}

function StreamPage({ view, stream, deliveries }: StreamProps) {
  const { id, label, type_human, last_delivery: last } = stream;
  return (
    <>
      <PageHeading view={view} title={label} lead={type_human} trail={TRAIL}>
        {view.may("update-notification-streams")
          ? (
            <>
              <PostButton
                view={view}
                action={`/alerts/${id}/test`}
                label="Send a test message"
                look="primary"
              />
              <a class="button quiet" href={view.path(`/alerts/${id}/edit`)}>Edit</a>
            </>
          )
          : null}
        {view.may("delete-notification-streams")
          ? (
            <Confirm
              view={view}
              open="Delete"
              icon="trash"
              action={`/alerts/${id}/delete`}
              label="Delete the stream"
            >
              <p>Nobody is told through {label} any more. Tasks that use it keep their other streams.</p>
            </Confirm>
          )
          : null}
      </PageHeading>
      <Live view={view} id="stream" topics={["alerts"]}>
        <p>
          <DeliveryStatus view={view} stream={stream} />
        </p>
        {last?.error ? <p class="notice bad">{last.error}</p> : null}
        <section class="section" aria-labelledby="deliveries">
          <h2 id="deliveries">Messages</h2>
          {deliveries.rows.length === 0 ? <Empty title="Nothing was sent through it yet." /> : (
            <Table
              view={view}
              caption="Messages"
              columns={columnsOf(view)}
              rows={deliveries.rows}
              keyOf={(delivery) => delivery.id}
            />
          )}
          <Pages view={view} list={deliveries} />
        </section>
      </Live>
      <Elsewhere
        cli={`rearguard streams deliveries ${id}`}
        api={`GET /api/notification-streams/${id}/deliveries`}
      />
    </>
  );
}

function newPage(view: View, state: StreamFormState): PageContent {
  return {
    title: "Add a stream",
    status: Object.keys(state.errors).length > 0 ? 422 : 200,
    content: (
      <>
        <PageHeading view={view} title="Add a stream" trail={TRAIL} />
        {state.type === "" ? <TypeChoice view={view} /> : (
          <StreamForm
            view={view}
            state={state}
            action="/alerts/new"
            cancel="/alerts/new"
            isSaved={false}
          />
        )}
      </>
    ),
  };
}

function editPage(view: View, stream: Stream, typed?: StreamFormState): PageContent {
  const { id, label, type } = stream;
  const values = { ...stream, ...typed?.values };
  return {
    title: `Edit ${label}`,
    status: typed === undefined ? 200 : 422,
    content: (
      <>
        <PageHeading
          view={view}
          title={`Edit ${label}`}
          trail={[...TRAIL, { label, path: `/alerts/${id}` }]}
        />
        <StreamForm
          view={view}
          state={{ type, values, errors: typed?.errors ?? {} }}
          action={`/alerts/${id}/edit`}
          cancel={`/alerts/${id}`}
          isSaved
        />
      </>
    ),
  };
}

export function addStreamPages(site: Site): void {
  addPage(
    site,
    "/alerts/new",
    (view) => newPage(view, { type: view.query("type"), values: newValues(), errors: {} }),
  );
  addAction(site, "/alerts/new", async (view, form) => {
    const body = streamBody(form);
    const answer = await view.call("POST", "/api/notification-streams", {
      body,
      csrf: form.text("csrf_token"),
    });
    if (answer.status === 422) {
      return newPage(view, { type: form.text("type"), values: typedStream(form), errors: answer.errors });
    }
    if (answer.status !== 201) return refused(view, form, answer);
    return { goTo: path`/alerts/${answer.body.data.id}`, done: "The stream is saved. Send a test message." };
  });
  addPage(site, "/alerts/:id", async (view, parameter) => {
    const id = parameter("id");
    const [stream, deliveries] = await Promise.all([
      view.get("/api/notification-streams/{id}", { id }),
      view.list("/api/notification-streams/{id}/deliveries", {
        id,
        query: { per_page: 50, page: view.query("page"), sort: "-id" },
      }),
    ]);
    return {
      title: stream.label,
      content: <StreamPage view={view} stream={stream} deliveries={deliveries} />,
    };
  });
  addPage(
    site,
    "/alerts/:id/edit",
    async (view, parameter) =>
      editPage(view, await view.get("/api/notification-streams/{id}", { id: parameter("id") })),
  );
  addAction(site, "/alerts/:id/edit", async (view, form, parameter) => {
    const id = parameter("id");
    const answer = await view.call("PUT", path`/api/notification-streams/${id}`, {
      body: streamBody(form),
      csrf: form.text("csrf_token"),
    });
    if (answer.status === 200) return { goTo: path`/alerts/${id}`, done: "The stream is changed." };
    if (answer.status !== 422) return refused(view, form, answer);
    const stream = await view.get("/api/notification-streams/{id}", { id });
    return editPage(view, stream, { type: stream.type, values: typedStream(form), errors: answer.errors });
  });
  addAction(site, "/alerts/:id/test", async (view, form, parameter) => {
    const id = parameter("id");
    const answer = await view.call("POST", path`/api/notification-streams/${id}/test`, {
      csrf: form.text("csrf_token"),
    });
    if (answer.status !== 200) return refused(view, form, answer);
    const { ok, message } = answer.body.data ?? answer.body;
    setFlash(view.c, { text: message, tone: ok ? "good" : "bad" });
    return { goTo: path`/alerts/${id}` };
  });
  addSimpleAction(site, "/alerts/:id/delete", {
    method: "DELETE",
    to: (parameter) => path`/api/notification-streams/${parameter("id")}`,
    done: "The stream is deleted.",
    goTo: () => "/alerts",
  });
}
