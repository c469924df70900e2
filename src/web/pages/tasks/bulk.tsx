/** Actions on several tasks at once: the bar above the list, its action, and a page about refusals. */
import { addAction, type PageContent, refused } from "../../page.tsx";
import { Form, nextPath, path, type Site } from "../../site.ts";
import { FormFields, Select } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { counted } from "../../components/number.tsx";
import { Mark } from "../../components/status.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Ability } from "../../../domain/abilities.ts";
import type { View } from "../../view.ts";
import type { BulkAnswer, Named } from "./records.ts";

/** The id of the bar's form. The checkboxes of the table belong to it. */
const BULK_FORM = "bulk";

interface Action {
  readonly label: string;
  readonly needs: Ability;
  /**
   * Returns a sentence that says what was done. `tasks` is the number of tasks in words, such as `3 tasks`.
   */
  readonly done: (tasks: string) => string;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  "run": { label: "Run", needs: "run-backup-tasks", done: (tasks) => `Runs of ${tasks} are queued.` },
  "pause": { label: "Pause", needs: "pause-backup-tasks", done: (tasks) => `Paused ${tasks}.` },
  "resume": { label: "Resume", needs: "pause-backup-tasks", done: (tasks) => `Resumed ${tasks}.` },
  "add-tag": { label: "Add tag", needs: "update-backup-tasks", done: (tasks) => `Tagged ${tasks}.` },
  "remove-tag": {
    label: "Remove tag",
    needs: "update-backup-tasks",
    done: (tasks) => `Removed the tag from ${tasks}.`,
  },
  "delete": {
    label: "Delete",
    needs: "delete-backup-tasks",
    done: (tasks) => `Deleted ${tasks}. They can be brought back from the trash for a few days.`,
  },
};

export function maySelect(view: View): boolean {
  return Object.values(ACTIONS).some(({ needs }) => view.may(needs));
}

function ActionButton({ view, name }: { view: View; name: string }) {
  const { label, needs } = ACTIONS[name]!;
  if (!view.may(needs)) return null;
  return <button class="button quiet" type="submit" name="action" value={name}>{label}</button>;
}

export function BulkBar({ view, tags }: { view: View; tags: readonly Named[] }) {
  if (!maySelect(view)) return null;
  return (
    <form id={BULK_FORM} method="post" action={view.path("/tasks/bulk")} class="bulk">
      <FormFields view={view} />
      <span class="muted small">Selected tasks:</span>
      <ActionButton view={view} name="run" />
      <ActionButton view={view} name="pause" />
      <ActionButton view={view} name="resume" />
      {tags.length > 0 && view.may("update-backup-tasks")
        ? (
          <>
            <Select
              name="bulk_tag"
              label="Tag"
              choices={tags.map(({ id, label }) => ({ value: id, label }))}
            />
            <ActionButton view={view} name="add-tag" />
            <ActionButton view={view} name="remove-tag" />
          </>
        )
        : null}
      {view.may("delete-backup-tasks") ? <DeleteSelected view={view} /> : null}
    </form>
  );
}

function DeleteSelected({ view }: { view: View }) {
  return (
    <details class="confirm">
      <summary class="button quiet">
        <Icon name="trash" />
        Delete…
      </summary>
      <div class="confirm-body">
        <p>
          The selected tasks are deleted. Their backups stay, and can still be restored. The tasks can be
          brought back from the trash for a few days.
        </p>
        {view.may("delete-backups")
          ? (
            <label class="check">
              <input type="checkbox" name="with_backups" value="1" />
              <span>
                Delete their backups too
                <span class="hint">They go to the trash as well.</span>
              </span>
            </label>
          )
          : null}
        <button class="button danger" type="submit" name="action" value="delete">
          Delete the selected tasks
        </button>
      </div>
    </details>
  );
}

/** The checkbox of a task's row. */
export function SelectBox({ view, task }: { view: View; task: Named }) {
  const selected = view.query("selected").split(",");
  return (
    <input
      type="checkbox"
      name="ids[]"
      value={task.id}
      form={BULK_FORM}
      aria-label={`Select ${task.label}`}
      checked={selected.includes(String(task.id))}
    />
  );
}

/** Returns the address of a list, with these tasks selected. */
function withSelected(list: string, ids: readonly string[]): string {
  const url = new URL(list, "http://localhost");
  if (ids.length === 0) url.searchParams.delete("selected");
  else url.searchParams.set("selected", ids.join(","));
  return url.pathname + url.search;
}

export function addBulkAction(site: Site): void {
  addAction(site, "/tasks/bulk", async (view, form) => {
    const ids = form.list("ids");
    const list = nextPath(form.text("next"), "/tasks");
    const name = form.text("action");
    const again = new Form({ ...form.fields, next: withSelected(list, ids) });
    const action = ACTIONS[name];
    if (action === undefined || ids.length === 0) {
      return refused(view, again, {
        status: 422,
        body: {},
        message: "Select the tasks first.",
        errors: {},
        cookie: null,
      });
    }
    const answer = await view.call("POST", "/api/backup-tasks/bulk", {
      csrf: form.text("csrf_token"),
      body: {
        ids,
        action: name,
        ...name.endsWith("-tag") ? { tag_id: form.text("bulk_tag") } : {},
        ...name === "delete" ? { with_backups: form.has("with_backups") } : {},
      },
    });
    if (answer.status !== 200) return refused(view, again, answer);
    const { failed, ok, results } = answer.body.data as BulkAnswer;
    if (failed === 0) {
      return { goTo: withSelected(list, []), done: action.done(counted(ok, "task")) };
    }
    return await failures(view, { list, action, ok, results: results.filter((result) => !result.ok) });
  });
}

interface Failures {
  readonly list: string;
  readonly action: Action;
  /** Number of tasks for which the action succeeded. */
  readonly ok: number;
  readonly results: BulkAnswer["results"];
}

type Failure = BulkAnswer["results"][number] & { readonly label: string };

/** Returns the page that says for each task why nothing was done. */
async function failures(view: View, { list, action, ok, results }: Failures): Promise<PageContent> {
  const rows = await Promise.all(results.map(async (result): Promise<Failure> => {
    const task = await view.find("/api/backup-tasks/{id}", { id: result.id });
    return { ...result, label: task?.label ?? `Task ${result.id}` };
  }));
  const columns: Column<Failure>[] = [
    {
      label: "Task",
      kind: "main",
      cell: ({ id, label }) => <a href={view.path(path`/tasks/${id}`)}>{label}</a>,
    },
    { label: "Result", cell: ({ message }) => <Mark icon="bad" tone="bad" text={message} /> },
  ];
  return {
    title: `${action.label}: not all tasks`,
    content: (
      <>
        <PageHeading
          view={view}
          title={`${action.label}: ${counted(results.length, "task")} refused`}
          lead={ok === 0 ? "Nothing was changed." : action.done(counted(ok, "task"))}
          trail={[{ label: "Tasks", path: list }]}
        />
        <Table
          view={view}
          caption="Tasks with which it was not done"
          columns={columns}
          rows={rows}
          keyOf={({ id }) => id}
        />
        <p>
          <a class="button quiet" href={view.path(withSelected(list, rows.map(({ id }) => String(id))))}>
            Back to the list, with these tasks selected
          </a>
        </p>
      </>
    ),
  };
}
