/** The form of a notification stream. */
import { EVENT_CLASS_NAMES, EVENT_CLASSES } from "../../../domain/notifications/event_classes.ts";
import { NOTIFICATION_STREAM_SETTINGS } from "../../../definitions/notification_stream_fields.ts";
import { STREAM_TYPES, type StreamType } from "../../../http/routes/notifications/stream_types.ts";
import { Checkbox, FormFields, TextField } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { recordBody, RecordFields, typedValues } from "../../components/record_form.tsx";
import type { Form } from "../../site.ts";
import type { View } from "../../view.ts";

export interface StreamFormState {
  readonly type: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly errors: Readonly<Record<string, string>>;
}

interface StreamFormProps {
  readonly view: View;
  readonly state: StreamFormState;
  readonly action: string;
  readonly cancel: string;
  /**
   * Whether the stream is saved already. If it is, and the control for its value is empty, the value is kept.
   */
  readonly isSaved: boolean;
}

export function StreamForm({ view, state, action, cancel, isSaved }: StreamFormProps) {
  const { errors, type, values } = state;
  const kind = typeOf(type);
  const events = (values.events ?? {}) as Record<string, boolean>;
  return (
    <form class="form-wide" method="post" action={view.path(action)}>
      <FormFields view={view} fields={{ type }} />
      <TextField name="label" label="Name" value={String(values.label ?? "")} error={errors.label} required />
      <TextField
        name="value"
        label="Where to"
        type="password"
        autocomplete="new-password"
        error={errors.value}
        hint={isSaved ? `${kind?.valueHelp}. One is stored. Leave this empty to keep it.` : kind?.valueHelp}
        required={!isSaved}
      />
      {type === "webhook"
        ? (
          <TextField
            name="signing_secret"
            label="Secret that signs the messages"
            type="password"
            autocomplete="new-password"
            error={errors.signing_secret}
          />
        )
        : null}
      <fieldset>
        <legend>Tell it of</legend>
        {EVENT_CLASS_NAMES.map((name) => (
          <Checkbox
            key={name}
            name="events[]"
            value={name}
            checked={events[name] === true}
            label={EVENT_CLASSES[name].label}
            hint={EVENT_CLASSES[name].help}
          />
        ))}
      </fieldset>
      <details open={Object.keys(NOTIFICATION_STREAM_SETTINGS).some((name) => errors[name] !== undefined)}>
        <summary>Reminders, quiet hours and summaries</summary>
        <div class="form-wide">
          <RecordFields fields={NOTIFICATION_STREAM_SETTINGS} values={values} errors={errors} />
        </div>
      </details>
      <p class="buttons">
        <button class="button" type="submit">Save</button>
        <a class="button quiet" href={view.path(cancel)}>Cancel</a>
      </p>
    </form>
  );
}

export function TypeChoice({ view }: { view: View }) {
  return (
    <ul class="choices">
      {STREAM_TYPES.map(({ type, label, valueHelp }) => (
        <li key={type}>
          <a href={view.path(`/alerts/new?type=${type}`)}>
            <span class="choice-main">
              {label}
              <span class="muted small">{valueHelp}</span>
            </span>
            <Icon name="next" />
          </a>
        </li>
      ))}
    </ul>
  );
}

function typeOf(type: string): StreamType | undefined {
  return STREAM_TYPES.find((each) => each.type === type);
}

/**
 * Returns the values that a new stream's form shows at first: the default classes of events about failures
 * are chosen, and each setting has its default.
 */
export function newValues(): Readonly<Record<string, unknown>> {
  const chosen = EVENT_CLASS_NAMES.filter((name) =>
    EVENT_CLASSES[name].group === "on_failure" && EVENT_CLASSES[name].isDefault
  );
  return {
    events: Object.fromEntries(chosen.map((name) => [name, true])),
    ...Object.fromEntries(
      Object.entries(NOTIFICATION_STREAM_SETTINGS).map(([name, field]) => [
        name,
        "default" in field ? field.default : null,
      ]),
    ),
  };
}

/** Returns the form's fields as the API takes them. An empty value or secret is left out. */
export function streamBody(form: Form): Record<string, unknown> {
  const [value, signing_secret] = [form.text("value"), form.text("signing_secret")];
  return {
    ...recordBody(NOTIFICATION_STREAM_SETTINGS, form),
    label: form.text("label"),
    type: form.text("type"),
    events: eventsOf(form),
    ...value === "" ? {} : { value },
    ...signing_secret === "" ? {} : { signing_secret },
  };
}

export function typedStream(form: Form): Readonly<Record<string, unknown>> {
  const settings = typedValues(NOTIFICATION_STREAM_SETTINGS, form);
  return { ...settings, label: form.text("label"), events: eventsOf(form) };
}

function eventsOf(form: Form): Record<string, boolean> {
  const chosen = form.list("events");
  return Object.fromEntries(EVENT_CLASS_NAMES.map((name) => [name, chosen.includes(name)]));
}
