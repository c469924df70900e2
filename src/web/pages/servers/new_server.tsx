/** The page `/servers/new`, and the command that installs a server's agent. */
import { REMOTE_SERVER_FIELDS } from "../../../definitions/remote_server_fields.ts";
import { CopyText, Elsewhere, FormFields } from "../../components/form.tsx";
import { labelOf, recordBody, RecordFields, typedValues } from "../../components/record_form.tsx";
import { ExactTime } from "../../components/time.tsx";
import { type ActionResult, addAction, addPage, type PageContent, refused } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import { type Form, path, type Site } from "../../site.ts";
import type { View } from "../../view.ts";
import { AgentState } from "./agent_state.tsx";

interface FormProps {
  readonly view: View;
  readonly values?: Readonly<Record<string, unknown>>;
  readonly errors?: Readonly<Record<string, string>>;
}

/** The fields that most people change. The others are folded. */
const MAIN = ["label", "ip_address", "class"];
const MORE = Object.keys(REMOTE_SERVER_FIELDS).filter((name) => !MAIN.includes(name));

/** The controls of a server's fields. */
export function ServerFields({ values = {}, errors = {} }: Omit<FormProps, "view">) {
  const hasErrors = MORE.some((name) => errors[name] !== undefined);
  return (
    <>
      <RecordFields fields={REMOTE_SERVER_FIELDS} names={MAIN} values={values} errors={errors} />
      <details open={hasErrors}>
        <summary>More: {MORE.map((name) => labelOf(name).toLowerCase()).join(", ")}</summary>
        <div class="form-wide">
          <RecordFields fields={REMOTE_SERVER_FIELDS} names={MORE} values={values} errors={errors} />
        </div>
      </details>
    </>
  );
}

function newServerPage({ view, values, errors = {} }: FormProps): PageContent {
  return {
    title: "Add a server",
    status: Object.keys(errors).length > 0 ? 422 : 200,
    content: (
      <>
        <PageHeading
          view={view}
          title="Add a server"
          trail={[{ label: "Servers", path: "/servers" }]}
          lead="Then you get one command, which installs the agent on the server. It opens no port there."
        />
        <form class="form-wide" method="post" action={view.path("/servers/new")}>
          <FormFields view={view} />
          <ServerFields values={values} errors={errors} />
          <p class="buttons">
            <button class="button" type="submit">Add the server</button>
            <a class="button quiet" href={view.path("/servers")}>Cancel</a>
          </p>
        </form>
        <Elsewhere
          cli="rearguard servers create --label web-1 --ip-address 192.0.2.10"
          api="POST /api/remote-servers"
        />
      </>
    ),
  };
}

/** Shows the command that installs an agent. The command contains a token that no other response shows. */
async function installPage(view: View, id: string, form: Form): Promise<ActionResult> {
  const answer = await view.call("POST", path`/api/remote-servers/${id}/enrolment-tokens`, {
    body: {},
    csrf: form.text("csrf_token"),
  });
  if (answer.status !== 201) return refused(view, form, answer, path`/servers/${id}`);
  const server = await view.get("/api/remote-servers/{id}", { id });
  const { install_command, expires_at } = answer.body.data;
  return {
    title: "Install the agent",
    content: (
      <>
        <PageHeading
          view={view}
          title={`Install the agent on ${server.label}`}
          trail={[{ label: "Servers", path: "/servers" }, {
            label: server.label,
            path: path`/servers/${id}`,
          }]}
        />
        <p>
          Run this on the server, as root. It works once, until <ExactTime view={view} at={expires_at} />.
        </p>
        <CopyText text={install_command} label="Copy the command" />
        <AgentState view={view} server={server} />
        <p class="buttons">
          <a class="button" href={view.path(path`/servers/${id}`)}>Go on to the server</a>
        </p>
        <Elsewhere
          cli={`rearguard servers enrol ${id}`}
          api={`POST /api/remote-servers/${id}/enrolment-tokens`}
        />
      </>
    ),
  };
}

export function addNewServerPages(site: Site): void {
  addPage(site, "/servers/new", (view) => newServerPage({ view }));
  addAction(site, "/servers/new", async (view, form) => {
    const body = recordBody(REMOTE_SERVER_FIELDS, form);
    const answer = await view.call("POST", "/api/remote-servers", { body, csrf: form.text("csrf_token") });
    if (answer.status === 422) {
      return newServerPage({
        view,
        values: typedValues(REMOTE_SERVER_FIELDS, form),
        errors: answer.errors,
      });
    }
    if (answer.status !== 201) return refused(view, form, answer);
    return await installPage(view, String(answer.body.data.id), form);
  });
  addAction(
    site,
    "/servers/:id/install",
    (view, form, parameter) => installPage(view, parameter("id"), form),
  );
}
