/** The wizard's last step: the name, how long backups are kept, and everything else. It creates the task. */
import { TASK_FIELDS } from "../../../definitions/task_fields.ts";
import { type Choice, Elsewhere, FormFields } from "../../components/form.tsx";
import { recordBody, RecordFields, typedValues } from "../../components/record_form.tsx";
import { type ApiResponse, type Form, path } from "../../site.ts";
import type { View } from "../../view.ts";
import { type CheckResult, CheckSteps } from "../destinations/check.tsx";
import { withOneSchedule } from "./changes.ts";
import { Group } from "./edit.tsx";
import { groupsOf } from "./field_groups.ts";
import { scheduleOf } from "./schedule_step.tsx";
import { CarriedFields } from "./wizard_frame.tsx";
import type { WizardState } from "./wizard_state.ts";

/** Content of the form after an attempt to create the task. */
export interface Attempt {
  readonly values: Readonly<Record<string, unknown>>;
  readonly errors: Readonly<Record<string, string>>;
  readonly check?: CheckResult;
}

interface FinishProps {
  readonly view: View;
  readonly state: WizardState;
  readonly choices: Readonly<Record<string, readonly Choice[]>>;
  readonly attempt?: Attempt;
}

/** The fields that the earlier steps have asked for. */
const ASKED = ["Task", "What is backed up", "When it runs"];

/** Values of a new task, unless the person changes them. */
const USUAL = { maximum_backups_to_keep: 14, ...defaults() };

function defaults(): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(TASK_FIELDS).flatMap(([name, field]) =>
      "default" in field && name !== "maximum_backups_to_keep" ? [[name, field.default]] : []
    ),
  );
}

export function FinishStep({ view, state, choices, attempt }: FinishProps) {
  const values = { ...USUAL, label: suggestedLabel(state, choices), ...state, ...attempt?.values };
  const errors = attempt?.errors ?? {};
  const groups = groupsOf({ type: state.type ?? "", database_type: state.database_type });
  const source = groups.find(({ title }) => title === "What is backed up")!;
  const more = { ...source, names: source.names.filter((name) => !(name in state)), isFolded: true };
  const shown = groups.filter(({ title }) => !ASKED.includes(title));
  const body = { ...state, ...scheduleOf(view, state) };
  return (
    <form class="form-wide" method="post" action={view.path("/tasks/new")}>
      <FormFields view={view} />
      <CarriedFields state={{ ...state, ...scheduleOf(view, state) }} except={["label"]} />
      {Object.keys(errors).length === 0
        ? null
        : <p class="notice bad" role="alert">{Object.values(errors)[0]}</p>}
      {attempt?.check === undefined ? null : (
        <>
          <CheckSteps result={attempt.check} />
          <p class="notice warn">
            The task is not made yet, because its backups could not be stored. Secrets must be typed again.
          </p>
        </>
      )}
      <Summary view={view} state={state} choices={choices} />
      <RecordFields fields={TASK_FIELDS} names={["label"]} values={values} errors={errors} />
      {shown.filter(({ isFolded }) => !isFolded).map((group) => (
        <Group key={group.title} group={group} values={values} errors={errors} choices={choices} />
      ))}
      <Group
        group={{ ...more, title: "More about the source" }}
        values={values}
        errors={errors}
        choices={choices}
      />
      {shown.filter(({ isFolded }) => isFolded).map((group) => (
        <Group key={group.title} group={group} values={values} errors={errors} choices={choices} />
      ))}
      <p class="buttons">
        <button class="button" type="submit" name="run" value="1">Add the task and run it now</button>
        <button class="button quiet" type="submit">Add the task</button>
        {attempt?.check === undefined
          ? null
          : <button class="button quiet" type="submit" name="unchecked" value="1">Add it anyway</button>}
      </p>
      <Elsewhere cli={commandOf(body)} api={`POST /api/backup-tasks ${JSON.stringify(body)}`} />
    </form>
  );
}

function Summary({ view, state, choices }: Omit<FinishProps, "attempt">) {
  const labelOf = (field: string, value: string | undefined) =>
    choices[field]?.find((choice) => String(choice.value) === value)?.label ?? value;
  const schedule = scheduleOf(view, state);
  return (
    <dl class="facts">
      <div>
        <dt>Server</dt>
        <dd>{labelOf("remote_server_id", state.remote_server_id)}</dd>
      </div>
      <div>
        <dt>What</dt>
        <dd class="mono">{state.source_path ?? state.database_name ?? state.type}</dd>
      </div>
      <div>
        <dt>Where to</dt>
        <dd>{labelOf("backup_destination_id", state.backup_destination_id)}</dd>
      </div>
      <div>
        <dt>When</dt>
        <dd>
          {schedule.custom_cron_expression ?? `${schedule.frequency}, ${schedule.time_to_run_at}`}{" "}
          {schedule.timezone}
        </dd>
      </div>
    </dl>
  );
}

/** Returns a name that says what is backed up where. */
function suggestedLabel(state: WizardState, choices: FinishProps["choices"]): string {
  const server = choices.remote_server_id?.find(({ value }) => String(value) === state.remote_server_id)
    ?.label;
  const source = state.source_path ?? state.database_name ?? "control plane";
  return `${source === "*" ? "All databases" : source} on ${server ?? "the server"}`.slice(0, 255);
}

/** Returns the command that makes the same task. */
function commandOf(body: Readonly<Record<string, string>>): string {
  const flags = Object.entries(body).map(([name, value]) =>
    `--${name.replaceAll("_", "-")} ${quoted(value)}`
  );
  return `rearguard tasks create ${flags.join(" ")}`;
}

function quoted(value: string): string {
  return /^[\w./:@-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

type Created =
  | { readonly attempt: Attempt }
  | { readonly refused: ApiResponse }
  | { readonly taskId: number; readonly runId: number | null };

/**
 * Creates the task. First checks whether the task's server can use the destination. Runs the new task if the
 * form asks for a run.
 */
export async function createTask(view: View, form: Form, state: WizardState): Promise<Created> {
  const csrf = form.text("csrf_token");
  const body = withOneSchedule({ ...recordBody(TASK_FIELDS, form), ...state, label: form.text("label") });
  const values = { ...typedValues(TASK_FIELDS, form), label: form.text("label") };
  if (!form.has("unchecked") && view.may("update-backup-destinations")) {
    const checked = await view.call(
      "POST",
      path`/api/backup-destinations/${state.backup_destination_id ?? ""}/check`,
      { body: { remote_server_id: state.remote_server_id }, csrf },
    );
    if (checked.status === 200 && !checked.body.data.ok) {
      return { attempt: { values, errors: {}, check: checked.body.data } };
    }
  }
  const made = await view.call("POST", "/api/backup-tasks", { body, csrf });
  if (made.status === 422) return { attempt: { values, errors: made.errors } };
  if (made.status !== 201) return { refused: made };
  const taskId: number = made.body.data.id;
  if (!form.has("run")) return { taskId, runId: null };
  const run = await view.call("POST", path`/api/backup-tasks/${taskId}/run`, { body: { queue: true }, csrf });
  return { taskId, runId: run.status === 202 ? run.body.backup_task_log_id : null };
}
