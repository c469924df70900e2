/** The frame of the pages of a logged-in user: the navigation, the bar at the top, and the content. */
import type { Child } from "hono/jsx";
import { Icon } from "./components/icon.tsx";
import { FormFields } from "./components/form.tsx";
import { Brand, Document } from "./layout.tsx";
import { entryOf, NAVIGATION } from "./navigation.ts";
import type { View } from "./view.ts";

/** The log of a run whose new lines a page shows. */
export interface FollowedLog {
  readonly id: number;
  /** The `sequence` of the last line that the page contains; 0 if it contains none. */
  readonly after: number;
}

interface ShellProps {
  readonly view: View;
  readonly title: string;
  readonly children: Child;
  readonly refreshSeconds?: number;
  readonly log?: FollowedLog;
}

export function Shell({ view, title, children, refreshSeconds, log }: ShellProps) {
  if (view.isPart) return <main>{children}</main>;
  return (
    <Document site={view.site} title={title} head={<Head view={view} refreshSeconds={refreshSeconds} />}>
      <a class="skip" href="#content">Skip to the content</a>
      <div class="shell">
        <header class="side">
          <div class="side-top">
            <Brand site={view.site} />
            <LiveChip view={view} log={log} />
          </div>
          <Navigation view={view} />
          <UserMenu view={view} />
        </header>
        <main class="content" id="content" tabindex={-1}>
          <FlashNotice view={view} />
          {children}
        </main>
      </div>
      <Palette view={view} />
    </Document>
  );
}

/**
 * The configuration of htmx. What the user has unfolded stays unfolded when a part of the page is renewed:
 * `morphIgnore` contains the attribute `open`.
 */
const HTMX = {
  extensions: "hx-csp,sse",
  includeIndicatorCSS: false,
  history: false,
  defaultTimeout: 30_000,
  morphIgnore: ["data-htmx-powered", "open"],
};

function Head({ view, refreshSeconds }: { view: View; refreshSeconds?: number }) {
  return (
    <>
      <meta
        name="htmx-config"
        content={JSON.stringify(HTMX)}
      />
      <script src={view.site.asset("app.js")} nonce={view.nonce} data-base={view.site.base} defer></script>
      {refreshSeconds === undefined ? null : (
        <noscript>
          <meta http-equiv="refresh" content={String(refreshSeconds)} />
        </noscript>
      )}
    </>
  );
}

/**
 * Shows whether the page is up to date. The element of this chip also holds the connection for live events.
 * When a live event arrives, parts of the page renew themselves.
 */
function LiveChip({ view, log }: { view: View; log?: FollowedLog }) {
  const query = log === undefined ? "" : `?log=${log.id}&after=${log.after}`;
  return (
    <div
      id="live-stream"
      class="chip"
      role="status"
      hidden
      {...view.hx({ "sse:connect": view.path(`/live${query}`) })}
    >
      <span class="chip-dot" aria-hidden="true"></span>
      <span class="chip-text">Connecting</span>
    </div>
  );
}

function Navigation({ view }: { view: View }) {
  const current = entryOf(new URL(view.here, "http://localhost").pathname);
  const groups = NAVIGATION.map((group) =>
    group.filter(({ needs }) => needs === undefined || view.may(needs))
  );
  return (
    <nav class="navigation" aria-label="Pages">
      <details class="menu" open>
        <summary class="button quiet">
          <Icon name="menu" /> Menu
        </summary>
        {groups.map((group) => (
          <ul key={group[0]?.path}>
            {group.map(({ path, label, icon }) => (
              <li key={path}>
                <a href={view.path(path)} aria-current={path === current?.path ? "page" : undefined}>
                  <Icon name={icon} />
                  {label}
                </a>
              </li>
            ))}
          </ul>
        ))}
        <ul>
          <li>
            <a href={view.path("/search")} data-palette>
              <Icon name="search" />
              Search <kbd>Ctrl K</kbd>
            </a>
          </li>
        </ul>
      </details>
    </nav>
  );
}

function UserMenu({ view }: { view: View }) {
  return (
    <div class="user">
      <a href={view.path("/account")} class="user-name">
        <Icon name="account" />
        <span>
          {view.user.name}
          <span class="muted small">{view.workspace.name} · {view.workspace.role}</span>
        </span>
      </a>
      <form method="post" action={view.path("/logout")}>
        <FormFields view={view} />
        <button class="button quiet" type="submit">Log out</button>
      </form>
    </div>
  );
}

/** The message of the last action. */
function FlashNotice({ view }: { view: View }) {
  if (view.flash === null) return null;
  const { text, tone } = view.flash;
  return (
    <p class={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <Icon name={tone} />
      {text}
    </p>
  );
}

/**
 * The dialog that Ctrl-K opens. It shows results while a person types. Sending its form opens the page
 * `/search`.
 */
function Palette({ view }: { view: View }) {
  const attributes = view.hx({
    get: view.path("/search"),
    trigger: "input delay:150ms from:#palette-text, palette",
    target: "#palette-results",
    select: "#results",
    swap: "innerHTML",
  });
  return (
    <dialog id="palette" aria-label="Search">
      <form action={view.path("/search")} {...attributes}>
        <label for="palette-text" class="hidden">Search for pages, tasks, servers and files</label>
        <input
          id="palette-text"
          name="q"
          type="search"
          autocomplete="off"
          placeholder="Search for pages, tasks, servers and files"
        />
      </form>
      <div id="palette-results"></div>
    </dialog>
  );
}

interface HeadingProps {
  readonly title: string;
  /** One sentence under the title. */
  readonly lead?: Child;
  /** Links to the pages above this one, from the top. */
  readonly trail?: readonly { readonly label: string; readonly path: string }[];
  readonly view: View;
  /** Buttons beside the title. */
  readonly children?: Child;
}

/** The heading of a page, with its main buttons. */
export function PageHeading({ view, title, lead, trail = [], children }: HeadingProps) {
  return (
    <header class="heading">
      {trail.length === 0 ? null : (
        <nav class="trail" aria-label="Above this page">
          {trail.map(({ label, path }) => <a key={path} href={view.path(path)}>{label}</a>)}
        </nav>
      )}
      <div class="heading-row">
        <div>
          <h1>{title}</h1>
          {lead === undefined ? null : <p class="muted">{lead}</p>}
        </div>
        {children === undefined ? null : <div class="buttons">{children}</div>}
      </div>
    </header>
  );
}
