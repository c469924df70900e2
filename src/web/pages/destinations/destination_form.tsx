/**
 * The form of a destination. It checks the destination and its credentials before it saves the destination.
 */
import {
  definitionOf,
  DESTINATION_TYPES,
  type DestinationType,
} from "../../../definitions/destinations/registry.ts";
import { SENT_FIELDS, sentNames } from "../../../definitions/destinations/settings.ts";
import { FormFields, Select, TextField } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { recordBody, RecordFields, typedValues } from "../../components/record_form.tsx";
import type { ApiResponse, Form } from "../../site.ts";
import type { View } from "../../view.ts";
import { type CheckResult, CheckSteps } from "./check.tsx";

export interface FormState {
  readonly type: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly errors: Readonly<Record<string, string>>;
  /** Why the destination could not be checked. Nothing was saved then. */
  readonly message?: string;
  readonly check?: CheckResult;
}

interface DestinationFormProps {
  readonly view: View;
  readonly state: FormState;
  readonly action: string;
  readonly servers: readonly { readonly id: number; readonly label: string }[];
  readonly cancel: string;
}

export function DestinationForm({ view, state, action, servers, cancel }: DestinationFormProps) {
  const { check, errors, message, type, values } = state;
  const back = view.query("back") || String(values.back ?? "");
  return (
    <form class="form-wide" method="post" action={view.path(action)}>
      <FormFields view={view} fields={{ type, ...back === "" ? {} : { back } }} />
      {message === undefined ? null : <p class="notice bad" role="alert">{message}</p>}
      {check === undefined ? null : <CheckSteps result={check} />}
      <TextField name="label" label="Name" value={String(values.label ?? "")} error={errors.label} required />
      <RecordFields fields={fieldsOf(type)} values={values} errors={errors} />
      {needsAgent(type)
        ? (
          <Select
            name="remote_server_id"
            label="Check it from this server"
            value={String(values.remote_server_id ?? servers[0]?.id ?? "")}
            choices={servers.map(({ id, label }) => ({ value: id, label }))}
            error={errors.remote_server_id}
            hint="Its agent writes a small object, reads it back and deletes it."
          />
        )
        : null}
      <p class="buttons">
        <button class="button" type="submit">Check and save</button>
        <button class="button quiet" type="submit" name="unchecked" value="1">Save without a check</button>
        <a class="button quiet" href={view.path(cancel)}>Cancel</a>
      </p>
    </form>
  );
}

/** Links to the form of each type. */
export function TypeChoice({ view }: { view: View }) {
  return (
    <ul class="choices">
      {DESTINATION_TYPES.map((type) => (
        <li key={type}>
          <a href={view.with({ type })}>
            <span class="choice-main">
              {definitionOf(type).label}
              <span class="muted small">{SUMMARIES[definitionOf(type).reach]}</span>
            </span>
            <Icon name="next" />
          </a>
        </li>
      ))}
    </ul>
  );
}

const SUMMARIES = {
  server: "on the disks of the servers themselves",
  agents: "agents send their data there",
  control_plane: "agents send their data there; they never see the keys",
} as const;

function isDestinationType(type: string): type is DestinationType {
  return DESTINATION_TYPES.some((each) => each === type);
}

/** Returns the fields of a type, by the names that callers send. */
function fieldsOf(type: string) {
  if (!isDestinationType(type)) return {};
  const names = Object.entries(definitionOf(type).fields).map(([name, field]) => sentNames(name, field)[0]!);
  return Object.fromEntries(names.map((name) => [name, SENT_FIELDS[name]!]));
}

function needsAgent(type: string): boolean {
  return isDestinationType(type) && definitionOf(type).reach !== "control_plane";
}

type Saved = { readonly saved: ApiResponse } | { readonly state: FormState } | {
  readonly refused: ApiResponse;
};

/**
 * Checks the form's destination, unless the form contains `unchecked`. Then saves the destination and returns
 * the response. If the check fails or a field is wrong, returns the form's new state instead.
 *
 * @param id The saved destination that the form changes; null for a new one.
 */
export async function saveDestination(view: View, form: Form, id: string | null): Promise<Saved> {
  const csrf = form.text("csrf_token");
  const type = form.text("type");
  const fields = { label: form.text("label"), ...recordBody(fieldsOf(type), form) };
  const remote_server_id = form.text("remote_server_id");
  const values = {
    ...typedValues(fieldsOf(type), form),
    label: fields.label,
    remote_server_id,
    back: form.text("back"),
  };
  const again = (more: Partial<FormState>): Saved => ({ state: { type, values, errors: {}, ...more } });
  if (!form.has("unchecked")) {
    const checked = await view.call("POST", "/api/backup-destinations/check", {
      body: {
        ...fields,
        type,
        ...id === null ? {} : { id },
        ...needsAgent(type) ? { remote_server_id } : {},
      },
      csrf,
    });
    if (checked.status === 422) return again({ errors: checked.errors });
    if (checked.status !== 200) return again({ message: checked.message ?? "The check did not end." });
    if (!checked.body.data.ok) return again({ check: checked.body.data });
  }
  const saved = id === null
    ? await view.call("POST", "/api/backup-destinations", { body: { ...fields, type }, csrf })
    : await view.call("PUT", `/api/backup-destinations/${encodeURIComponent(id)}`, { body: fields, csrf });
  if (saved.status === 422) return again({ errors: saved.errors });
  return saved.status >= 300 ? { refused: saved } : { saved };
}
