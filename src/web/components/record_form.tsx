/** Form controls for the fields of a record, derived from the fields' definitions. */
import type { Field, FieldTable } from "../../definitions/fields/field.ts";
import { type Format, formatOf } from "../../definitions/fields/format.ts";
import { fieldWords } from "../../definitions/formats/says.ts";
import type { Form } from "../site.ts";
import { Checkbox, type Choice, Select, TextArea, TextField } from "./form.tsx";

/**
 * Name of the hidden controls that list a form's fields. The list is needed because browsers do not send an
 * unchecked box.
 */
const SHOWN = "shown_fields[]";

interface RecordFieldsProps {
  readonly fields: FieldTable;
  /** Names of the fields to show, in their order; by default all. */
  readonly names?: readonly string[];
  /** The value to show in each field: what the person typed, or else the record's own value. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly errors?: Readonly<Record<string, string>>;
  /**
   * Choices by field. For a field with ids, these are the records that it can name. For any other field, they
   * replace the field's own choices.
   */
  readonly choices?: Readonly<Record<string, readonly Choice[]>>;
}

/** One control for each field. A stored secret is not shown; an empty control keeps it. */
export function RecordFields(
  { fields, names = Object.keys(fields), values, errors = {}, choices = {} }: RecordFieldsProps,
) {
  return (
    <>
      {names.map((name) => {
        const field = fields[name]!;
        return (
          <FieldControl
            key={name}
            name={name}
            field={field}
            value={values[name]}
            isStored={values[`has_${name}`] === true || values[`is_${name}_set`] === true}
            error={errors[name]}
            choices={choices[name]}
          />
        );
      })}
    </>
  );
}

interface FieldControlProps {
  readonly name: string;
  readonly field: Field;
  readonly value: unknown;
  /** For a secret field: whether the record has a stored secret already. */
  readonly isStored: boolean;
  readonly error?: string;
  readonly choices?: readonly Choice[];
}

function FieldControl(props: FieldControlProps) {
  return (
    <>
      <input type="hidden" name={SHOWN} value={props.name} />
      <Control {...props} />
    </>
  );
}

function Control({ name, field, value, isStored, error, choices }: FieldControlProps) {
  const format = formatOf(field.schema);
  const label = labelOf(name);
  const hint = hintOf(field);
  const common = { name, label, hint, error };
  if (field.isSecret) {
    const stored = isStored ? "One is stored. Leave this empty to keep it." : undefined;
    return <TextField {...common} type="password" autocomplete="new-password" hint={stored ?? hint} />;
  }
  if (choices !== undefined && format.type === "list") {
    return <CheckList {...common} name={`${name}[]`} choices={choices} chosen={listOf(value)} />;
  }
  if (choices !== undefined) return <Select {...common} value={textOf(value)} choices={choices} />;
  switch (format.type) {
    case "boolean":
      return <Checkbox name={name} label={label} hint={hint} checked={value === true} />;
    case "choice":
      return (
        <Select
          {...common}
          value={textOf(value ?? field.default)}
          choices={[
            ...field.isRequired || field.default !== undefined ? [] : [{ value: "", label: "Default" }],
            ...format.choices.map((choice) => ({ value: choice, label: choice.replaceAll("_", " ") })),
          ]}
        />
      );
    case "list":
      return <TextArea {...common} value={listOf(value).join("\n")} hint={`${hint}; one a line`} mono />;
    case "map":
      return <MapControl name={name} label={label} entries={format.entries} value={value} />;
    case "number":
      return <TextField {...common} type="number" value={textOf(value)} required={field.isRequired} />;
    default:
      return <TextField {...common} value={textOf(value)} required={field.isRequired} />;
  }
}

interface CheckListProps {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly error?: string;
  readonly choices: readonly Choice[];
  readonly chosen: readonly string[];
}

function CheckList({ name, label, hint, error, choices, chosen }: CheckListProps) {
  return (
    <fieldset>
      <legend>{label}</legend>
      {choices.length === 0 ? <p class="muted">There is none yet.</p> : null}
      {choices.map((choice) => (
        <Checkbox
          key={choice.value}
          name={name}
          value={String(choice.value)}
          label={choice.label}
          checked={chosen.includes(String(choice.value))}
        />
      ))}
      {hint === undefined ? null : <p class="muted small">{hint}</p>}
      {error === undefined ? null : <p class="error">{error}</p>}
    </fieldset>
  );
}

interface MapProps {
  readonly name: string;
  readonly label: string;
  readonly entries: Readonly<Record<string, Format>>;
  readonly value: unknown;
}

/** One control for each entry of a map: a drop-down list for an entry with choices, otherwise a checkbox. */
function MapControl({ name, label, entries, value }: MapProps) {
  const given = (value ?? {}) as Record<string, unknown>;
  return (
    <fieldset>
      <legend>{label}</legend>
      {Object.entries(entries).map(([entry, format]) =>
        format.type === "choice"
          ? (
            <Select
              key={entry}
              name={`${name}[${entry}]`}
              label={capitalized(entry.replaceAll("_", " "))}
              value={textOf(given[entry])}
              choices={format.choices.map((choice) => ({ value: choice, label: choice }))}
            />
          )
          : (
            <Checkbox
              key={entry}
              name={`${name}[]`}
              value={entry}
              label={entry.replaceAll("_", " ")}
              checked={given[entry] === true}
            />
          )
      )}
    </fieldset>
  );
}

/**
 * Returns the fields of a form as the API takes them. An empty control clears its field. If the field is a
 * secret or required, an empty control sends nothing instead.
 */
export function recordBody(fields: FieldTable, form: Form): Record<string, unknown> {
  const shown = form.list(SHOWN.slice(0, -2)).filter((name) => Object.hasOwn(fields, name));
  const values = shown.map((name) => [name, sentValue(name, fields[name]!, form)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function sentValue(name: string, field: Field, form: Form): unknown {
  const format = formatOf(field.schema);
  const text = form.text(name);
  if (format.type === "boolean") return form.has(name);
  if (format.type === "map") {
    const [chosen, checked] = [form.entries(name), form.list(name)];
    return Object.fromEntries(
      Object.entries(format.entries).map(([entry, of]) => [
        entry,
        of.type === "choice" ? chosen[entry] : checked.includes(entry),
      ]),
    );
  }
  if (format.type === "list") {
    const list = form.list(name);
    return list.length > 0 ? list : text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  }
  if (text !== "") return text;
  return field.isSecret || field.isRequired ? undefined : null;
}

/** Returns what was typed into the controls, to show it again beside the errors. Secrets are left out. */
export function typedValues(fields: FieldTable, form: Form): Record<string, unknown> {
  const body = recordBody(fields, form);
  return Object.fromEntries(Object.entries(body).filter(([name]) => !fields[name]!.isSecret));
}

const ACRONYMS = /\b(ip|s3|sftp|url|ssh|id|ids|webdav|smtp|utc|json|api)\b/g;

/** Returns a field's name as people write it, such as `IP address`. */
export function labelOf(name: string): string {
  const words = fieldWords([name.replace(/_ids$/, "s").replace(/_id$/, "")]).replaceAll(
    ACRONYMS,
    (word) => word.toUpperCase(),
  );
  return capitalized(words);
}

function hintOf({ help }: Field): string {
  return capitalized(help);
}

export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function textOf(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
