/** The frame of every page. */
import type { Child } from "hono/jsx";
import type { Site, SiteContext } from "./site.ts";

/**
 * The pages' content security policy. Browsers load styles, images and data from this host only. They run
 * only scripts that carry the nonce, and show the page in no frame of another page.
 */
function policy(nonce: string | null): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    nonce === null ? "script-src 'self'" : `script-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types htmx",
  ].join("; ");
}

interface DocumentProps {
  readonly site: Site;
  readonly title: string;
  readonly children: Child;
  /** More elements of the head. */
  readonly head?: Child;
}

export function Document({ site, title, children, head }: DocumentProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title} · Rearguard</title>
        <link rel="icon" href={site.asset("icon.svg")} type="image/svg+xml" />
        <link rel="stylesheet" href={site.asset("rearguard.css")} />
        {head}
      </head>
      <body>{children}</body>
    </html>
  );
}

/** The sign of the project: a shield with a tick. */
function Sign() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
      <path d="M12 3 4.5 6v5.5c0 4.6 3.1 8 7.5 9.5 4.4-1.5 7.5-4.9 7.5-9.5V6L12 3Z" stroke-linejoin="round" />
      <path d="m8.5 12 2.5 2.5 4.5-5" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

export function Brand({ site }: { site: Site }) {
  return (
    <a class="brand" href={site.path("/")}>
      <Sign />
      Rearguard
    </a>
  );
}

/** A page with one form in its middle. */
export function SinglePage({ site, title, children }: DocumentProps) {
  return (
    <Document site={site} title={title}>
      <div class="single">
        <main>
          <Brand site={site} />
          {children}
        </main>
      </div>
    </Document>
  );
}

/** A page below the bar with the user's name. */
export function BarPage(
  { site, title, user, csrf, children }: DocumentProps & { user: string; csrf: string },
) {
  return (
    <Document site={site} title={title}>
      <a class="skip" href="#content">Skip to the content</a>
      <header class="bar">
        <Brand site={site} />
        <form method="post" action={site.path("/logout")}>
          <span class="muted small">{user}</span>
          <CsrfField token={csrf} />
          <button class="button quiet" type="submit">Log out</button>
        </form>
      </header>
      <main class="page" id="content">{children}</main>
    </Document>
  );
}

/** The script for everything that a page does with passkeys. */
export function PasskeyScript({ site }: { site: Site }) {
  return <script src={site.asset("passkeys.js")} data-base={site.base} defer></script>;
}

export function CsrfField({ token }: { token: string }) {
  return <input type="hidden" name="csrf_token" value={token} />;
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly type?: "text" | "email" | "password";
  readonly autocomplete: string;
  readonly value?: string;
  readonly hint?: string;
  readonly error?: string;
  readonly readonly?: boolean;
  readonly autofocus?: boolean;
}

/** An input field with its label, hint and error message. */
export function Field({ name, label, type = "text", hint, error, ...rest }: FieldProps) {
  const described = [hint === undefined ? "" : `${name}-hint`, error === undefined ? "" : `${name}-error`];
  const ids = described.filter((id) => id !== "").join(" ");
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input
        id={name}
        name={name}
        type={type}
        autocomplete={rest.autocomplete}
        value={rest.value}
        required
        readonly={rest.readonly}
        autofocus={rest.autofocus}
        aria-invalid={error === undefined ? undefined : "true"}
        aria-describedby={ids === "" ? undefined : ids}
      />
      {hint === undefined ? null : <p class="hint" id={`${name}-hint`}>{hint}</p>}
      {error === undefined ? null : <p class="error" id={`${name}-error`}>{error}</p>}
    </div>
  );
}

/** An input field for a code of the second factor. */
export function CodeField(
  { label = "Code of your authenticator app, or a recovery code", error, autofocus }: {
    label?: string;
    error?: string;
    autofocus?: boolean;
  },
) {
  return <Field name="code" label={label} autocomplete="one-time-code" error={error} autofocus={autofocus} />;
}

/** A message about the whole form; renders nothing if `text` is null. */
export function Alert({ text }: { text: string | null }) {
  return text === null ? null : <p class="notice bad" role="alert">{text}</p>;
}

/** Warns the user that the connection is not encrypted, if `isExposed`. */
export function ExposedNotice({ isExposed }: { isExposed: boolean }) {
  if (!isExposed) return null;
  return (
    <p class="notice warn">
      This connection is not encrypted: others in the network can read your password. Use https.
    </p>
  );
}

interface RenderOptions {
  readonly status?: number;
  /** The nonce of the page's scripts; null if every script of this host is allowed to run. */
  readonly nonce?: string | null;
}

/** Returns a page as a response. */
export function render(
  c: SiteContext,
  page: { toString(): string | Promise<string> },
  { status = 200, nonce = null }: RenderOptions = {},
): Response {
  return c.html(`<!doctype html>${page}`, status as 200, {
    "Content-Security-Policy": policy(nonce),
    // The API checks the `Origin` header of forms. With the policy `no-referrer`, browsers would not send the
    // origin.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
  });
}
