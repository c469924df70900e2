/** The form of a script. */
import type { Schema } from "../../../client/types.ts";
import { SCRIPT_FAILURES, SCRIPT_TYPES } from "../../../definitions/script_fields.ts";
import { FormFields, Select, TextArea, TextField } from "../../components/form.tsx";
import type { Form } from "../../site.ts";
import type { View } from "../../view.ts";

export type Script = Schema<"Script">;

/** When a script runs, in words. */
export const TYPE_WORDS: Readonly<Record<Script["type"], string>> = {
  prescript: "Before the backup",
  after_success: "After a stored backup",
  after_failure: "After a failed run",
  postscript: "Last, whatever happened",
};

const FAILURE_WORDS: Readonly<Record<Script["on_failure"], string>> = {
  fail: "The run fails",
  warn: "The run has a warning",
};

/** Content of the form: the values by field, and the errors of the last attempt to save the script. */
export interface ScriptFormState {
  readonly values: Readonly<Record<string, string | number | null>>;
  readonly errors: Readonly<Record<string, string>>;
  /** Whether the user must log in once more before the form can be saved. */
  readonly needsLogin?: boolean;
}

export const NEW_SCRIPT: ScriptFormState = {
  values: { type: "prescript", script: "#!/bin/sh\nset -eu\n", timeout_seconds: 600, on_failure: "fail" },
  errors: {},
};

const NAMES = ["label", "type", "script", "timeout_seconds", "run_as", "on_failure"] as const;

/** Returns the fields of the form as the API takes them. */
export function scriptBody(form: Form): Record<string, string> {
  return Object.fromEntries(NAMES.map((name) => [name, form.text(name)]));
}

/** Asks for a fresh log-in. The link opens another tab, so that the text in the form is not lost. */
function LoginFirst({ view }: { view: View }) {
  return (
    <p class="notice warn" role="alert">
      Scripts run on servers, so saving one needs a fresh log-in.{" "}
      <a href={view.path("/login/step-up?next=/scripts")} target="_blank">Log in again in a new tab</a>, then
      save here.
    </p>
  );
}

interface ScriptFormProps extends ScriptFormState {
  readonly view: View;
  readonly action: string;
  readonly submit: string;
}

export function ScriptForm({ view, action, submit, values, errors, needsLogin }: ScriptFormProps) {
  return (
    <form class="form-wide" method="post" action={view.path(action)}>
      <FormFields view={view} />
      {needsLogin ? <LoginFirst view={view} /> : null}
      <TextField name="label" label="Name" value={values.label} error={errors.label} required />
      <Select
        name="type"
        label="When it runs"
        value={values.type}
        error={errors.type}
        choices={SCRIPT_TYPES.map((type) => ({ value: type, label: TYPE_WORDS[type] }))}
      />
      <TextArea
        name="script"
        label="Text"
        value={String(values.script ?? "")}
        error={errors.script}
        rows={14}
        mono
        hint="The first line names the interpreter, by default /bin/sh. Put no secrets into it: agents keep it on disk during a run."
      />
      <TextField
        name="timeout_seconds"
        label="Ended after, in seconds"
        type="number"
        min={1}
        value={values.timeout_seconds}
        error={errors.timeout_seconds}
      />
      <TextField
        name="run_as"
        label="System user that runs it"
        value={values.run_as}
        error={errors.run_as}
        hint="By default the agent's own, usually root."
      />
      <Select
        name="on_failure"
        label="If it fails"
        value={values.on_failure}
        error={errors.on_failure}
        choices={SCRIPT_FAILURES.map((name) => ({ value: name, label: FAILURE_WORDS[name] }))}
      />
      <p class="buttons">
        <button class="button" type="submit">{submit}</button>
        <a class="button quiet" href={view.path("/scripts")}>Cancel</a>
      </p>
    </form>
  );
}
