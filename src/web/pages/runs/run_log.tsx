/** The log of a run: some of its lines, a search, and links to the older and the newer lines. */
import type { Child } from "hono/jsx";
import type { Answer } from "../../../client/client.ts";
import { fill } from "../../api_path.ts";
import { Select, TextField } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { hasEnded, type Run } from "../../components/run.tsx";
import { PageError, type View } from "../../view.ts";
import type { FollowedLog } from "../../shell.tsx";
import { lineText, type LogLine } from "./log_text.ts";

/**
 * Maximum number of lines that a page contains at first. Its script loads older and newer lines when they are
 * needed.
 */
const LINES = 500;

/** Some lines of a run, as chosen by the query of the page. */
export interface ShownLog {
  readonly lines: readonly LogLine[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  readonly search: string;
  readonly stream: "" | "warning";
  /** Whether new lines of the run appear at the end. */
  readonly isFollowing: boolean;
}

export async function readLog(view: View, run: Run): Promise<ShownLog> {
  const before = positionIn(view.query("log_before"));
  const after = positionIn(view.query("log_after"));
  const search = view.query("log_search").slice(0, 255);
  const stream = view.query("log_only") === "warning" ? "warning" : "";
  const { status, body, message } = await view.call(
    "GET",
    fill("/api/backup-task-logs/{id}/lines", {
      id: run.id,
      query: { before, after, search, stream, limit: LINES },
    }),
  );
  if (status !== 200) throw new PageError(status, message ?? "The control plane did not answer.");
  const { data, has_older, has_newer }: Answer<"/api/backup-task-logs/{id}/lines"> = body;
  const isFollowing = !hasEnded(run) && before === null && after === null;
  return { lines: data, hasOlder: has_older, hasNewer: has_newer, search, stream, isFollowing };
}

function positionIn(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Returns which lines the page receives from the stream of changes; undefined if it receives none. */
export function followedLog(run: Run, { isFollowing, lines }: ShownLog): FollowedLog | undefined {
  return isFollowing ? { id: run.id, after: lines.at(-1)?.sequence ?? 0 } : undefined;
}

export function RunLog({ view, run, log }: { view: View; run: Run; log: ShownLog }) {
  return (
    <section class="section log-section">
      <header>
        <h2 id="log-heading">Log</h2>
        <span class="buttons">
          <label class="check">
            <input type="checkbox" class="log-wrap" checked /> Wrap lines
          </label>
          <a href={view.path(`/api/backup-task-logs/${run.id}/output`)} download>
            <Icon name="download" /> Download as text
          </a>
        </span>
      </header>
      <LogSearch view={view} log={log} />
      <div
        id="log"
        class="log"
        tabindex={0}
        role="region"
        aria-labelledby="log-heading"
        data-url={view.path(`/api/backup-task-logs/${run.id}/lines`)}
        data-timezone={view.user.timezone}
        data-search={log.search}
        data-stream={log.stream}
        data-first={log.lines[0]?.sequence ?? 0}
        data-follows={log.isFollowing ? "" : undefined}
      >
        <OlderLink view={view} log={log} />
        {log.lines.length === 0
          ? <p class="muted log-empty">{emptyText(run, log)}</p>
          : <div class="log-part">{segmentsOf(view, log.lines)}</div>}
      </div>
      <nav class="log-foot small" aria-label="Lines of the log">
        <LogPlace view={view} run={run} log={log} />
        <button class="button quiet small" type="button" id="log-end" hidden>
          <Icon name="down" />
          <span>Jump to the end</span>
        </button>
      </nav>
    </section>
  );
}

/** Searches the whole log, not only the lines that the page contains. */
function LogSearch({ view, log }: { view: View; log: ShownLog }) {
  const { pathname } = new URL(view.here, "http://localhost");
  return (
    <form class="filters" action={view.path(pathname)}>
      <TextField
        name="log_search"
        label="Search in the whole log"
        type="search"
        value={log.search}
      />
      <Select
        name="log_only"
        label="Show"
        value={log.stream}
        choices={[{ value: "", label: "All lines" }, { value: "warning", label: "Warnings only" }]}
      />
      <button class="button quiet" type="submit">Search</button>
      {log.search !== "" || log.stream !== ""
        ? <a class="button quiet" href={toLog(view, { log_search: null, log_only: null })}>Show all lines</a>
        : null}
    </form>
  );
}

function OlderLink({ view, log }: { view: View; log: ShownLog }) {
  if (!log.hasOlder) return null;
  const before = log.lines[0]!.sequence;
  return (
    <a id="log-older" class="small" href={toLog(view, { log_before: before, log_after: null })}>
      <Icon name="up" /> Older lines
    </a>
  );
}

/** Says which part of the log is shown, and links to the other parts. */
function LogPlace({ view, run, log }: { view: View; run: Run; log: ShownLog }) {
  const links: Child[] = [];
  if (log.hasOlder) links.push(<a href={toLog(view, { log_after: 0, log_before: null })}>First lines</a>);
  if (log.hasNewer) {
    const after = log.lines.at(-1)?.sequence ?? 0;
    links.push(<a href={toLog(view, { log_after: after, log_before: null })}>Newer lines</a>);
    links.push(<a href={toLog(view, { log_after: null, log_before: null })}>Last lines</a>);
  }
  const isAtEnd = !log.hasNewer;
  return (
    <>
      <span class="muted" id="log-state">
        {log.isFollowing
          ? "New lines appear here."
          : isAtEnd && hasEnded(run)
          ? "This is the end of the log."
          : isAtEnd
          ? "The run goes on."
          : ""}
      </span>
      {links}
    </>
  );
}

/** Returns the address of the same page, with a query that chooses other lines of the log. */
function toLog(view: View, changes: Parameters<View["with"]>[0]): string {
  return `${view.with(changes)}#log`;
}

function emptyText(run: Run, { search, stream }: ShownLog): string {
  if (search !== "" || stream !== "") return "No line of the log fits.";
  return run.status === "queued" ? "The run has not started." : "Nothing is logged.";
}

/** Joins plain lines to one text. Warnings and notes become elements of their own. */
function segmentsOf(view: View, lines: readonly LogLine[]): Child[] {
  const segments: Child[] = [];
  let plain = "";
  for (const line of lines) {
    const text = `${lineText(view, line)}\n`;
    if (line.stream === "output") plain += text;
    else {
      segments.push(plain, <span class={`log-${line.stream}`}>{text}</span>);
      plain = "";
    }
  }
  segments.push(plain);
  return segments;
}
