/**
 * The page `/tasks/:id/edit`, with every field of a task. If a change would delete backups, the page says how
 * many, and saves the change only after a confirmation.
 */
import type { Answer } from "../../../client/client.ts";
import { TASK_FIELDS } from "../../../definitions/task_fields.ts";
import { formatBytes } from "../../../domain/byte_size.ts";
import { type Choice, Elsewhere, FormFields } from "../../components/form.tsx";
import { counted } from "../../components/number.tsx";
import { recordBody, RecordFields, typedValues } from "../../components/record_form.tsx";
import { addAction, addPage, type PageContent, refused } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import { type Form, path, type Site } from "../../site.ts";
import type { View } from "../../view.ts";
import { changedFields, withOneSchedule } from "./changes.ts";
import { readChoices } from "./choices.ts";
import { type FieldGroup, groupsOf, RETENTION_NAMES } from "./field_groups.ts";

type Task = Answer<"/api/backup-tasks/{id}">["data"];

/** The backups that a changed retention would delete and the saved retention would not. */
interface Loss {
  readonly count: number;
  readonly bytes: number;
}

interface EditProps {
  readonly view: View;
  readonly task: Task;
  readonly choices: Readonly<Record<string, readonly Choice[]>>;
  readonly values: Readonly<Record<string, unknown>>;
  readonly errors: Readonly<Record<string, string>>;
  readonly loss?: Loss;
}

function EditPage({ view, task, choices, values, errors, loss }: EditProps) {
  const { id, label } = task;
  return (
    <>
      <PageHeading
        view={view}
        title={`Edit ${label}`}
        trail={[{ label: "Tasks", path: "/tasks" }, { label, path: `/tasks/${id}` }]}
      />
      {Object.keys(errors).length === 0
        ? null
        : <p class="notice bad" role="alert">Nothing was saved. See what is wrong below.</p>}
      <form class="form-wide" method="post" action={view.path(`/tasks/${id}/edit`)}>
        <FormFields view={view} />
        {loss === undefined ? null : <LossNotice loss={loss} />}
        {groupsOf(task).map((group) => (
          <Group key={group.title} group={group} values={values} errors={errors} choices={choices} />
        ))}
        <p class="buttons">
          <button class="button" type="submit">Save</button>
          <a class="button quiet" href={view.path(`/tasks/${id}`)}>Cancel</a>
        </p>
      </form>
      <Elsewhere cli={`rearguard tasks update ${id} --keep-daily 7`} api={`PUT /api/backup-tasks/${id}`} />
    </>
  );
}

function LossNotice({ loss: { count, bytes } }: { loss: Loss }) {
  return (
    <div class="notice warn" role="alert">
      <p>
        This change would delete {counted(count, "backup")}{" "}
        ({formatBytes(bytes)}) when the task runs next. They stay in the trash for a while. Secrets that you
        typed must be typed again.
      </p>
      <p>
        <button class="button danger" type="submit" name="confirmed" value="1">
          Save, and let {counted(count, "backup")} go
        </button>
      </p>
    </div>
  );
}

type GroupProps = Pick<EditProps, "values" | "errors" | "choices"> & { group: FieldGroup };

export function Group({ group, values, errors, choices }: GroupProps) {
  const fields = (
    <RecordFields
      fields={TASK_FIELDS}
      names={group.names}
      values={values}
      errors={errors}
      choices={choices}
    />
  );
  if (!group.isFolded) {
    return (
      <fieldset>
        <legend>{group.title}</legend>
        {fields}
      </fieldset>
    );
  }
  return (
    <details open={group.names.some((name) => errors[name] !== undefined)}>
      <summary>{group.title}</summary>
      <fieldset>{fields}</fieldset>
    </details>
  );
}

async function show(
  view: View,
  task: Task,
  more: Partial<Pick<EditProps, "values" | "errors" | "loss">> = {},
): Promise<PageContent> {
  const { errors = {}, loss } = more;
  const values = { ...task, ...relationIds(task), ...more.values };
  const choices = await readChoices(view);
  const props = { view, task, choices, values, errors, loss };
  const status = Object.keys(errors).length > 0 || loss !== undefined ? 422 : 200;
  return { title: `Edit ${task.label}`, status, content: <EditPage {...props} /> };
}

/** Returns the fields of the form that list ids of other records, with the ids that the task has now. */
function relationIds(task: Task): Record<string, unknown> {
  return { tag_ids: task.tags.map(({ id }) => id) };
}

/**
 * Returns how much more the changed retention would delete than the saved one: the number of backups and
 * their bytes.
 */
async function lossOf(view: View, id: string, body: Readonly<Record<string, unknown>>): Promise<Loss> {
  const changed = Object.entries(body).filter(([name]) => RETENTION_NAMES.includes(name));
  if (changed.length === 0) return { count: 0, bytes: 0 };
  const query = new URLSearchParams(changed.map(([name, value]) => [name, String(value ?? "")]));
  const to = path`/api/backup-tasks/${id}/retention-preview`;
  const [now, then] = await Promise.all([view.call("GET", to), view.call("GET", `${to}?${query}`)]);
  // If a rule is wrong, the API refuses the preview. Saving the task then shows which rule is wrong.
  if (now.status !== 200 || then.status !== 200) return { count: 0, bytes: 0 };
  return {
    count: then.body.data.removed - now.body.data.removed,
    bytes: then.body.data.removed_size - now.body.data.removed_size,
  };
}

async function save(view: View, form: Form, id: string) {
  const task = await view.get("/api/backup-tasks/{id}", { id });
  const stored = { ...task, ...relationIds(task) };
  const body = withOneSchedule(changedFields(recordBody(TASK_FIELDS, form), stored));
  const values = typedValues(TASK_FIELDS, form);
  if (!form.has("confirmed")) {
    const loss = await lossOf(view, id, body);
    if (loss.count > 0) return await show(view, task, { values, loss });
  }
  const answer = await view.call("PUT", path`/api/backup-tasks/${id}`, {
    body,
    csrf: form.text("csrf_token"),
  });
  if (answer.status === 200) return { goTo: path`/tasks/${id}`, done: "The task is changed." };
  return answer.status === 422
    ? await show(view, task, { values, errors: answer.errors })
    : refused(view, form, answer);
}

export function addTaskEditPage(site: Site): void {
  addPage(
    site,
    "/tasks/:id/edit",
    async (view, parameter) =>
      await show(view, await view.get("/api/backup-tasks/{id}", { id: parameter("id") })),
  );
  addAction(site, "/tasks/:id/edit", (view, form, parameter) => save(view, form, parameter("id")));
}
