/**
 * Opens pages as browsers do. Each page follows the stream of changes. If `path` is given, each page also
 * fetches `path` after a change, at most once every two seconds.
 *
 * Reads a {@link PagesOrder} from standard input. Prints `open` when every page has received its first event.
 * Prints a {@link PagesReport} as JSON at the end.
 */
import { systemClock } from "../../src/domain/clock.ts";

export interface PagesOrder {
  url: string;
  /** Session cookies, one for each session. Several pages use the same session. */
  cookies: string[];
  pages: number;
  seconds: number;
  /** The page to fetch again after a change; null to fetch nothing. */
  path: string | null;
}

export interface PagesReport {
  /** Number of events that all pages together have received. `fewest` is the lowest number of any page. */
  events: number;
  fewest: number;
  fetched: number;
}

/** Pause between two requests for the same part of a page, in milliseconds. The real pages pause as long. */
const PAUSE = 2000;

class Page {
  readonly opened = Promise.withResolvers<void>();
  events = 0;
  fetched = 0;
  #next: Promise<void> | null = null;

  constructor(readonly order: PagesOrder, number: number, signal: AbortSignal) {
    void this.#follow(order.cookies[number % order.cookies.length]!, signal);
  }

  async #follow(cookie: string, signal: AbortSignal): Promise<void> {
    const headers = { cookie, "sec-fetch-site": "same-origin" };
    const response = await fetch(`${this.order.url}/live`, { headers, signal });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      this.events += text.match(/^event: /gm)?.length ?? 0;
      this.opened.resolve();
      if (this.order.path !== null) this.#next ??= this.#fetch(headers, signal);
    }
  }

  async #fetch(headers: Record<string, string>, signal: AbortSignal): Promise<void> {
    const response = await fetch(`${this.order.url}${this.order.path}`, { headers, signal });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    await response.text();
    this.fetched++;
    await systemClock.sleep(PAUSE);
    this.#next = null;
  }
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  setInterval(() => {}, 1000); // the clock's own timers keep no process alive
  const order = JSON.parse(await new Response(Deno.stdin.readable).text()) as PagesOrder;
  const over = new AbortController();
  const pages = Array.from({ length: order.pages }, (_, n) => new Page(order, n, over.signal));
  await Promise.all(pages.map((page) => page.opened.promise));
  print("open");
  for (const page of pages) page.events = page.fetched = 0;
  await systemClock.sleep(order.seconds * 1000);
  const sum = (pick: (page: Page) => number) => pages.reduce((all, page) => all + pick(page), 0);
  const report: PagesReport = {
    events: sum(({ events }) => events),
    fewest: Math.min(...pages.map(({ events }) => events)),
    fetched: sum(({ fetched }) => fetched),
  };
  print(JSON.stringify(report));
  over.abort();
  Deno.exit(0);
}
