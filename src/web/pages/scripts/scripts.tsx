/** The pages of scripts: the list, and the forms that create and change one. */
import { Confirm, Elsewhere } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { Count, counted } from "../../components/number.tsx";
import { type Column, Empty, Pages, Table } from "../../components/table.tsx";
import { Duration, Moment } from "../../components/time.tsx";
import { addAction, addPage, addSimpleAction, type PageContent, refused } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import { type ApiResponse, path, type Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import {
  NEW_SCRIPT,
  type Script,
  scriptBody,
  ScriptForm,
  type ScriptFormState,
  TYPE_WORDS,
} from "./script_form.tsx";

const TRAIL = [{ label: "Tasks", path: "/tasks" }, { label: "Scripts", path: "/scripts" }];

function columnsOf(view: View): Column<Script>[] {
  return [
    {
      label: "Script",
      kind: "main",
      sort: "label",
      cell: ({ id, label }) => <a href={view.path(`/scripts/${id}`)}>{label}</a>,
    },
    { label: "When it runs", cell: ({ type }) => TYPE_WORDS[type] },
    { label: "Runs as", cell: ({ run_as }) => run_as ?? <span class="muted">the agent's user</span> },
    {
      label: "Ended after",
      kind: "number",
      cell: ({ timeout_seconds }) => <Duration ms={timeout_seconds * 1000} />,
    },
    { label: "Tasks", kind: "number", cell: (script) => <Count value={script.backup_tasks_count} /> },
    {
      label: "Changed",
      kind: "number",
      cell: ({ updated_at }) => <Moment view={view} at={updated_at} />,
    },
  ];
}

function NewScriptButton({ view }: { view: View }) {
  if (!view.may("create-scripts")) return null;
  return (
    <a class="button" href={view.path("/scripts/new")}>
      <Icon name="add" /> New script
    </a>
  );
}

function ScriptList({ view, scripts }: { view: View; scripts: ListPage<Script> }) {
  return (
    <>
      <PageHeading
        view={view}
        title="Scripts"
        lead="Scripts run on the server, before or after a backup: to stop a container, make a snapshot, or call a service."
        trail={TRAIL.slice(0, 1)}
      >
        {scripts.total === 0 ? null : <NewScriptButton view={view} />}
      </PageHeading>
      {scripts.rows.length === 0
        ? (
          <Empty title="No script yet.">
            <p class="muted">A task names the scripts that its runs execute.</p>
            <NewScriptButton view={view} />
          </Empty>
        )
        : (
          <Table
            view={view}
            caption="Scripts"
            columns={columnsOf(view)}
            rows={scripts.rows}
            keyOf={({ id }) => id}
          />
        )}
      <Pages view={view} list={scripts} />
    </>
  );
}

function newPage(view: View, state: ScriptFormState): PageContent {
  return {
    title: "New script",
    status: state === NEW_SCRIPT ? 200 : 422,
    content: (
      <>
        <PageHeading view={view} title="New script" trail={TRAIL} />
        <ScriptForm view={view} action="/scripts/new" submit="Create the script" {...state} />
        <Elsewhere
          cli='rearguard scripts create --label "Stop the shop" --type prescript --file stop.sh'
          api="POST /api/scripts"
        />
      </>
    ),
  };
}

/**
 * The page of a script. Shows a form with the script's values. If the API has refused a change, the form
 * shows what the user typed.
 */
function scriptPage(view: View, script: Script, typed?: ScriptFormState): PageContent {
  const { backup_tasks_count: tasks, id, label } = script;
  const { run_as, timeout_seconds, on_failure, type } = script;
  const values = { label, type, script: script.script, timeout_seconds, run_as, on_failure };
  return {
    title: label,
    status: typed === undefined ? 200 : 422,
    content: (
      <>
        <PageHeading
          view={view}
          title={label}
          lead={`${TYPE_WORDS[type]}. Used by ${counted(tasks, "task")}.`}
          trail={TRAIL}
        >
          {view.may("delete-scripts")
            ? (
              <Confirm
                view={view}
                action={`/scripts/${id}/delete`}
                open="Delete…"
                label="Delete the script"
                icon="trash"
              >
                {tasks === 0
                  ? "No task uses it."
                  : "Tasks use it. Take it out of these tasks first: until then, it is not deleted."}
              </Confirm>
            )
            : null}
        </PageHeading>
        {view.may("update-scripts")
          ? (
            <>
              <ScriptForm
                view={view}
                action={`/scripts/${id}`}
                submit="Save"
                {...typed ?? { values, errors: {} }}
              />
              <Elsewhere
                cli={`rearguard scripts update ${id} --timeout-seconds 60`}
                api={`PUT /api/scripts/${id}`}
              />
            </>
          )
          : <pre class="notice">{script.script}</pre>}
        <p class="muted small">
          SHA-256 of the text: <span class="mono">{script.sha256}</span>
        </p>
      </>
    ),
  };
}

/**
 * Returns what the form shows again after the API has refused it. The user can then correct a field or log
 * in again. Returns null if neither would help, or if the API has not refused the form.
 */
function typedState(values: ScriptFormState["values"], answer: ApiResponse): ScriptFormState | null {
  const needsLogin = answer.body?.step_up_required === true;
  return answer.status === 422 || needsLogin ? { values, errors: answer.errors, needsLogin } : null;
}

export function addScriptPages(site: Site): void {
  addPage(site, "/scripts", async (view) => {
    const query = { page: view.query("page"), per_page: 50, sort: view.query("sort") || "label" };
    const scripts = await view.list("/api/scripts", { query });
    return { title: "Scripts", content: <ScriptList view={view} scripts={scripts} /> };
  });
  addPage(site, "/scripts/new", (view) => newPage(view, NEW_SCRIPT));
  addAction(site, "/scripts/new", async (view, form) => {
    const body = scriptBody(form);
    const answer = await view.call("POST", "/api/scripts", { body, csrf: form.text("csrf_token") });
    const typed = typedState(body, answer);
    if (typed !== null) return newPage(view, typed);
    if (answer.status !== 201) return refused(view, form, answer);
    return {
      goTo: "/scripts",
      done: `The script ${body.label} is created. Choose it in the settings of tasks.`,
    };
  });
  addPage(
    site,
    "/scripts/:id",
    async (view, parameter) => scriptPage(view, await view.get("/api/scripts/{id}", { id: parameter("id") })),
  );
  addAction(site, "/scripts/:id", async (view, form, parameter) => {
    const id = parameter("id");
    const body = scriptBody(form);
    const answer = await view.call("PUT", path`/api/scripts/${id}`, { body, csrf: form.text("csrf_token") });
    const typed = typedState(body, answer);
    if (typed !== null) return scriptPage(view, await view.get("/api/scripts/{id}", { id }), typed);
    if (answer.status !== 200) return refused(view, form, answer);
    return {
      goTo: path`/scripts/${id}`,
      done: "The script is saved. Runs that have begun keep the text they were sent.",
    };
  });
  addSimpleAction(site, "/scripts/:id/delete", {
    method: "DELETE",
    to: (parameter) => path`/api/scripts/${parameter("id")}`,
    done: "The script is deleted. It can be brought back from the trash for a few days.",
    goTo: () => "/scripts",
  });
}
