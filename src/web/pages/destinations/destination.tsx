/** The page of one destination, and its forms. */
import type { Answer } from "../../../client/client.ts";
import { Confirm, Elsewhere, PostButton } from "../../components/form.tsx";
import { Bytes, counted } from "../../components/number.tsx";
import { Live } from "../../components/live.tsx";
import { Moment } from "../../components/time.tsx";
import { addAction, addPage, addSimpleAction, type PageContent, refused } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import { type Form, nextPath, path, type Site } from "../../site.ts";
import type { View } from "../../view.ts";
import { type CheckResult, CheckSteps } from "./check.tsx";
import { DestinationForm, type FormState, saveDestination, TypeChoice } from "./destination_form.tsx";
import type { Destination } from "./record.ts";
import { Place } from "./place.tsx";
import { SpaceLeft } from "./space.tsx";
import { Cost, FullIn, Growth, UsageSection } from "./usage.tsx";

const TRAIL = [{ label: "Destinations", path: "/destinations" }];

interface DestinationProps {
  readonly view: View;
  readonly destination: Destination;
  readonly check?: CheckResult;
  readonly usage: Answer<"/api/backup-destinations/{id}/usage">["data"];
  readonly days: Answer<"/api/history/storage">["data"]["days"];
  readonly servers: readonly { readonly id: number; readonly label: string }[];
}

function DestinationPage({ view, destination, check, usage, days, servers }: DestinationProps) {
  const { id, label, type_human } = destination;
  return (
    <>
      <PageHeading view={view} title={label} lead={type_human} trail={TRAIL}>
        {view.may("update-backup-destinations")
          ? (
            <>
              <PostButton
                view={view}
                action={`/destinations/${id}/check`}
                label="Check now"
                look="primary"
                fields={servers[0] === undefined ? {} : { remote_server_id: servers[0].id }}
              />
              <a class="button quiet" href={view.path(`/destinations/${id}/edit`)}>Edit</a>
            </>
          )
          : null}
        {view.may("delete-backup-destinations")
          ? (
            <Confirm
              view={view}
              open="Delete"
              icon="trash"
              action={`/destinations/${id}/delete`}
              label="Delete the destination"
            >
              <p>
                {label}{" "}
                goes to the trash, from which it can be brought back. A destination that tasks use or that
                holds backups is not deleted.
              </p>
            </Confirm>
          )
          : null}
      </PageHeading>
      {check === undefined ? null : <CheckSteps result={check} />}
      <Live view={view} id="destination" topics={["destinations", "backups"]} from={`/destinations/${id}`}>
        <dl class="facts">
          <div>
            <dt>Place</dt>
            <dd>
              <Place destination={destination} />
            </dd>
          </div>
          <div>
            <dt>Space</dt>
            <dd>
              <SpaceLeft view={view} destination={destination} />
            </dd>
          </div>
          <div>
            <dt>Stored</dt>
            <dd>
              <Bytes value={destination.usage.stored_bytes} /> in{" "}
              {counted(destination.usage.backups_count, "backup")}
            </dd>
          </div>
          <div>
            <dt>Growth</dt>
            <dd>
              <Growth usage={destination.usage} />
            </dd>
          </div>
          <div>
            <dt>Full in</dt>
            <dd>
              <FullIn usage={destination.usage} />
            </dd>
          </div>
          <div>
            <dt>Cost</dt>
            <dd>
              <Cost destination={destination} />
            </dd>
          </div>
          <div>
            <dt>Added</dt>
            <dd>
              <Moment view={view} at={destination.created_at} />
            </dd>
          </div>
        </dl>
        <UsageSection view={view} usage={usage} days={days} />
        <p class="buttons">
          <a class="button quiet" href={view.path(`/backups?backup_destination_id=${id}`)}>
            Backups stored there
          </a>
          <a class="button quiet" href={view.path(`/tasks?backup_destination_id=${id}`)}>Tasks that use it</a>
        </p>
      </Live>
      <Elsewhere
        cli={`rearguard destinations check ${id}`}
        api={`POST /api/backup-destinations/${id}/check`}
      />
    </>
  );
}

/** Returns the servers whose agents can check a destination. */
async function connectedServers(view: View) {
  const { rows } = await view.list("/api/remote-servers", { query: { status: "connected", per_page: 100 } });
  return rows;
}

async function newPage(view: View, state: FormState): Promise<PageContent> {
  const content = state.type === "" ? <TypeChoice view={view} /> : (
    <DestinationForm
      view={view}
      state={state}
      action="/destinations/new"
      servers={await connectedServers(view)}
      cancel="/destinations/new"
    />
  );
  return {
    title: "Add a destination",
    status: statusOf(state),
    content: (
      <>
        <PageHeading view={view} title="Add a destination" trail={TRAIL} />
        {content}
        <Elsewhere
          cli="rearguard destinations create --label Bucket --type s3 …"
          api="POST /api/backup-destinations"
        />
      </>
    ),
  };
}

async function editPage(view: View, destination: Destination, typed?: FormState): Promise<PageContent> {
  const { id, label, type } = destination;
  const state = typed ?? { type, values: {}, errors: {} };
  return {
    title: `Edit ${label}`,
    status: statusOf(state),
    content: (
      <>
        <PageHeading
          view={view}
          title={`Edit ${label}`}
          trail={[...TRAIL, { label, path: `/destinations/${id}` }]}
        />
        <DestinationForm
          view={view}
          state={{ ...state, values: { ...destination, ...state.values } }}
          action={`/destinations/${id}/edit`}
          servers={await connectedServers(view)}
          cancel={`/destinations/${id}`}
        />
      </>
    ),
  };
}

function statusOf({ errors, message, check }: FormState): number {
  return Object.keys(errors).length > 0 || message !== undefined || check !== undefined ? 422 : 200;
}

async function showOne(view: View, id: string, check?: CheckResult): Promise<PageContent> {
  const [destination, usage, { days }, servers] = await Promise.all([
    view.get("/api/backup-destinations/{id}", { id }),
    view.get("/api/backup-destinations/{id}/usage", { id }),
    view.get("/api/history/storage", { query: { backup_destination_id: id } }),
    connectedServers(view),
  ]);
  const props = { view, destination, usage, days, servers, check };
  return { title: destination.label, content: <DestinationPage {...props} /> };
}

/**
 * Returns the path of the page to show after a destination was saved. In the wizard for a new task, this is
 * the wizard's next step. Otherwise it is the destination's own page.
 */
function nextAfter(form: Form, id: number): string {
  const back = nextPath(form.text("back"), "");
  if (!back.startsWith("/tasks/new?")) return path`/destinations/${id}`;
  const query = new URLSearchParams(back.slice(back.indexOf("?") + 1));
  query.set("backup_destination_id", String(id));
  query.set("step", "schedule");
  return `/tasks/new?${query}`;
}

async function save(view: View, form: Form, id: string | null) {
  const result = await saveDestination(view, form, id);
  if ("refused" in result) return refused(view, form, result.refused);
  if ("saved" in result) {
    const savedId: number = result.saved.body.data.id;
    return { goTo: nextAfter(form, savedId), done: "The destination is saved." };
  }
  if (id === null) return await newPage(view, result.state);
  return await editPage(view, await view.get("/api/backup-destinations/{id}", { id }), result.state);
}

export function addDestinationPages(site: Site): void {
  addPage(
    site,
    "/destinations/new",
    (view) => newPage(view, { type: view.query("type"), values: {}, errors: {} }),
  );
  addAction(site, "/destinations/new", (view, form) => save(view, form, null));
  addPage(site, "/destinations/:id", (view, parameter) => showOne(view, parameter("id")));
  addPage(
    site,
    "/destinations/:id/edit",
    async (view, parameter) =>
      await editPage(view, await view.get("/api/backup-destinations/{id}", { id: parameter("id") })),
  );
  addAction(site, "/destinations/:id/edit", (view, form, parameter) => save(view, form, parameter("id")));
  addAction(site, "/destinations/:id/check", async (view, form, parameter) => {
    const id = parameter("id");
    const remote_server_id = form.text("remote_server_id");
    const answer = await view.call("POST", path`/api/backup-destinations/${id}/check`, {
      body: remote_server_id === "" ? {} : { remote_server_id },
      csrf: form.text("csrf_token"),
    });
    return answer.status === 200 ? await showOne(view, id, answer.body.data) : refused(view, form, answer);
  });
  addSimpleAction(site, "/destinations/:id/delete", {
    method: "DELETE",
    to: (parameter) => path`/api/backup-destinations/${parameter("id")}`,
    done: "The destination is in the trash.",
    goTo: () => "/destinations",
  });
}
