/**
 * Parts of forms. Every form works without scripts. If the API refuses a form, the form shows again what the
 * user typed.
 */
import type { Child } from "hono/jsx";
import { CsrfField } from "../layout.tsx";
import type { View } from "../view.ts";
import { Icon, type IconName } from "./icon.tsx";

interface FieldFrameProps {
  readonly name: string;
  readonly label: string;
  readonly hint?: Child;
  readonly error?: string;
}

/** Returns the attributes that connect a control to its hint and error message. */
function describedBy({ name, hint, error }: FieldFrameProps): Record<string, string> {
  const ids = [hint === undefined ? [] : [`${name}-hint`], error === undefined ? [] : [`${name}-error`]];
  const described = ids.flat().join(" ");
  return {
    ...described === "" ? {} : { "aria-describedby": described },
    ...error === undefined ? {} : { "aria-invalid": "true" },
  };
}

function FieldFrame({ name, label, hint, error, children }: FieldFrameProps & { children: Child }) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {children}
      {hint === undefined ? null : <p class="hint" id={`${name}-hint`}>{hint}</p>}
      {error === undefined ? null : <p class="error" id={`${name}-error`}>{error}</p>}
    </div>
  );
}

interface TextFieldProps extends FieldFrameProps {
  readonly value?: string | number | null;
  readonly type?: "text" | "email" | "password" | "number" | "time" | "url" | "search" | "date" | "color";
  readonly required?: boolean;
  readonly placeholder?: string;
  readonly autocomplete?: string;
  readonly list?: string;
  readonly min?: number;
  readonly max?: number;
  readonly step?: string;
  readonly mono?: boolean;
}

export function TextField(
  { name, label, hint, error, value, type = "text", mono, ...rest }: TextFieldProps,
) {
  return (
    <FieldFrame name={name} label={label} hint={hint} error={error}>
      <input
        id={name}
        name={name}
        type={type}
        value={value ?? ""}
        class={mono ? "mono" : undefined}
        {...{ autocomplete: "off", ...rest }}
        {...describedBy({ name, label, hint, error })}
      />
    </FieldFrame>
  );
}

export function TextArea(
  { name, label, hint, error, value, rows = 4, mono }: FieldFrameProps & {
    value?: string | null;
    rows?: number;
    mono?: boolean;
  },
) {
  return (
    <FieldFrame name={name} label={label} hint={hint} error={error}>
      <textarea
        id={name}
        name={name}
        rows={rows}
        class={mono ? "mono" : undefined}
        spellcheck={mono ? false : undefined}
        {...describedBy({ name, label, hint, error })}
      >
        {value ?? ""}
      </textarea>
    </FieldFrame>
  );
}

export interface Choice {
  readonly value: string | number;
  readonly label: string;
}

export function Select(
  { name, label, hint, error, value, choices }: FieldFrameProps & {
    value?: string | number | null;
    choices: readonly Choice[];
  },
) {
  return (
    <FieldFrame name={name} label={label} hint={hint} error={error}>
      <select id={name} name={name} {...describedBy({ name, label, hint, error })}>
        {choices.map((choice) => (
          <option
            key={choice.value}
            value={choice.value}
            selected={String(choice.value) === String(value ?? "")}
          >
            {choice.label}
          </option>
        ))}
      </select>
    </FieldFrame>
  );
}

interface CheckProps {
  readonly name: string;
  readonly label: Child;
  readonly value?: string;
  readonly checked?: boolean;
  readonly hint?: Child;
}

/** A checkbox with its label beside it. */
export function Checkbox({ name, label, value = "1", checked, hint }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" name={name} value={value} checked={checked} />
      <span>
        {label}
        {hint === undefined ? null : <span class="hint">{hint}</span>}
      </span>
    </label>
  );
}

/** One of several choices; all of them have the same `name`. */
export function Radio({ name, label, value, checked, hint }: CheckProps) {
  return (
    <label class="check">
      <input type="radio" name={name} value={value} checked={checked} />
      <span>
        {label}
        {hint === undefined ? null : <span class="hint">{hint}</span>}
      </span>
    </label>
  );
}

interface PostProps {
  readonly view: View;
  /** The path of the page's action. */
  readonly action: string;
  /** Empty for a button that is only an icon. */
  readonly label: string;
  /** Name of the record on which the button acts. Screen readers say this name after the label. */
  readonly about?: string;
  readonly icon?: IconName;
  readonly look?: "primary" | "quiet" | "danger";
  readonly fields?: Readonly<Record<string, string | number>>;
}

/** A button that acts at once. The browser then shows the page of the button again. */
export function PostButton({ view, action, label, about, icon, look = "quiet", fields = {} }: PostProps) {
  return (
    <form method="post" action={view.path(action)} class="inline">
      <FormFields view={view} fields={fields} />
      <button
        class={`button ${look}`}
        type="submit"
        aria-label={about === undefined ? undefined : `${label} ${about}`.trim()}
        title={label === "" ? about : undefined}
      >
        {icon === undefined ? null : <Icon name={icon} />}
        {label}
      </button>
    </form>
  );
}

/**
 * The hidden fields of every form: the CSRF token, and the page that the browser shows after the action.
 * `fields` are added to them.
 */
export function FormFields(
  { view, fields = {} }: { view: View; fields?: Readonly<Record<string, string | number>> },
) {
  return (
    <>
      <CsrfField token={view.csrf} />
      <input type="hidden" name="next" value={view.here} />
      {Object.entries(fields).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
    </>
  );
}

/**
 * A button with a confirmation. A click shows what the action will do, and a second button that carries it
 * out. Works without scripts.
 */
export function Confirm(
  { open, children, icon, ...post }: PostProps & { open: string; children: Child },
) {
  return (
    <details class="confirm">
      <summary class="button quiet">
        {icon === undefined ? null : <Icon name={icon} />}
        {open}
      </summary>
      <div class="confirm-body">
        <div>{children}</div>
        <PostButton {...post} look="danger" />
      </div>
    </details>
  );
}

/** Shows the command and the API call that have the same effect as the page's form or button. */
export function Elsewhere({ cli, api }: { cli: string; api: string }) {
  return (
    <details class="elsewhere">
      <summary>The same from a shell</summary>
      <dl>
        <dt>CLI</dt>
        <dd>
          <CopyText text={cli} label="Copy the command" />
        </dd>
        <dt>API</dt>
        <dd>
          <CopyText text={api} label="Copy the API call" />
        </dd>
      </dl>
    </details>
  );
}

/** A text to copy. The button appears only if scripts run. */
export function CopyText({ text, label = "Copy" }: { text: string; label?: string }) {
  return (
    <div class="copy">
      <code tabindex={0}>{text}</code>
      <button class="button quiet" type="button" data-copy={text} aria-label={label} hidden>
        <Icon name="copy" />
        <span>Copy</span>
      </button>
    </div>
  );
}
