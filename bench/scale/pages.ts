/**
 * Measures every page of a workspace with 1,000 tasks and 100,000 runs. For each page, measures the time
 * until the whole response has arrived, the number of API requests, and the bytes that browsers load.
 */
import { cpuUsage } from "node:process";
import { addWebPages } from "../../src/web/pages.ts";
import type { App } from "../../src/http/observe.ts";
import { type TestApi, testApi } from "../../tests/support/clients/api.ts";
import { Browser } from "../../tests/support/clients/browser.ts";
import { pagePaths } from "../../tests/support/fixtures/page_paths.ts";
import { median, percentile, print, type Result } from "../result.ts";
import { plantFleet } from "./page_fleet.ts";

const CALLS = 20;
const WARM_UPS = 3;
/** An address without a page: the answer has the frame of every page, and nothing in it. */
const TRIVIAL = "/nothing-is-here";

/** The calls of the API that pages have made: for each path, the times in milliseconds. */
type ApiCalls = Map<string, number[]>;

export async function benchPages(): Promise<Result[]> {
  const calls: ApiCalls = new Map();
  await using api = await testApi({ pages: [countCalls(calls), addWebPages({ publicUrl: null })] });
  const { browser, fleet } = await plantFleet(api);
  const only = Deno.env.get("BENCH_PAGES");
  const paths = Object.values(pagePaths(fleet)).flat().filter((path) => only === undefined || path === only);
  const timed: { path: string; half: number; most: number; ratio: number }[] = [];
  for (const path of paths) {
    const page = await timePage(browser, path, calls);
    timed.push({ path, ...page });
  }
  const slowest = timed.toSorted((a, b) => b.half - a.half)[0]!;
  return [
    {
      name: `The slowest of ${timed.length} pages, ${slowest.path}`,
      ours: `${slowest.half.toFixed(0)} ms, 95th percentile ${slowest.most.toFixed(0)} ms`,
      peer: `an empty page ${(slowest.half / slowest.ratio).toFixed(1)} ms`,
      ratio: slowest.ratio.toFixed(1),
      bar: "under 100 ms",
      holds: slowest.half < 100,
    },
    ...await firstPages(api, browser),
  ];
}

/** Returns a function that adds no page, and records the calls that other pages make. */
function countCalls(calls: ApiCalls): (app: App) => void {
  return (app) => {
    const { fetch } = app;
    app.fetch = async (request, ...rest) => {
      const { pathname, search } = new URL(request.url);
      const start = performance.now();
      const response = await fetch(request, ...rest);
      if (pathname.startsWith("/api/")) {
        const times = calls.get(pathname + search) ?? [];
        times.push(performance.now() - start);
        calls.set(pathname + search, times);
      }
      return response;
    };
  };
}

/** Times a page and the trivial one in turn, so that both run on an equally busy machine. */
async function timePage(browser: Browser, path: string, calls: ApiCalls) {
  const times: number[] = [];
  const cpu: number[] = [];
  const trivial: number[] = [];
  let bytes = 0;
  for (let call = -WARM_UPS; call < CALLS; call++) {
    if (call <= 0) calls.clear();
    const start = performance.now();
    const used = cpuUsage();
    const { status, text } = await browser.call("GET", path, undefined, { Accept: "text/html" });
    const between = performance.now();
    const { user, system } = cpuUsage(used);
    if (call >= 0) cpu.push((user + system) / 1000);
    // The link of the set-up page is not valid, so that page has the status of an error.
    if (status >= 500) throw new Error(`${path}: ${status} ${text}`);
    if (call >= 0) times.push(between - start);
    bytes = text.length;
    const counted = new Map([...calls].map(([name, all]) => [name, [...all]]));
    await browser.call("GET", TRIVIAL, undefined, { Accept: "text/html" });
    if (call >= 0) trivial.push(performance.now() - between);
    calls.clear();
    for (const [name, value] of counted) calls.set(name, value);
  }
  const [half, most, ratio] = [median(times), percentile(times, 95), median(times) / median(trivial)];
  const made = [...calls].map(([name, all]) => ({ name, count: all.length / CALLS, half: median(all) }));
  print(
    `${path}: median ${half.toFixed(1)} ms, 95th percentile ${most.toFixed(1)} ms, ` +
      `${median(cpu).toFixed(1)} ms of a processor here, ` +
      `${ratio.toFixed(1)} of an empty page, ${made.reduce((sum, { count }) => sum + count, 0)} calls, ` +
      `${(bytes / 1000).toFixed(0)} kB`,
  );
  for (const { name, count, half } of made.toSorted((a, b) => b.half - a.half)) {
    if (count > 1 || half > 20) print(`  ${count} × ${name}: ${half.toFixed(1)} ms`);
  }
  return { half, most, ratio };
}

/** Measures what the first pages load, compressed as they are served. */
async function firstPages(api: TestApi, browser: Browser): Promise<Result[]> {
  const results: Result[] = [];
  const stranger = new Browser(api.app);
  for (const [who, path] of [[stranger, "/login/setup?token=none"], [browser, "/"]] as const) {
    const { text } = await who.call("GET", path);
    const files = [
      ...new Set([...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, file]) => file!)),
    ];
    let [all, scripts] = [await served(api, path, cookieOf(who)), 0];
    for (const file of files) {
      const size = await served(api, file, "");
      all += size;
      if (file.includes(".js")) scripts += size;
    }
    results.push(sized(`The first load of ${path}`, all, 150_000), sized("… its scripts", scripts, 40_000));
  }
  return results;
}

const cookieOf = ({ cookies }: Browser) => [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");

async function served(api: TestApi, path: string, cookie: string): Promise<number> {
  const headers = { "Accept-Encoding": "gzip", Cookie: cookie, "Sec-Fetch-Site": "same-origin" };
  const response = await api.app.request(`http://localhost${path}`, { headers });
  return (await response.arrayBuffer()).byteLength;
}

function sized(name: string, bytes: number, bar: number): Result {
  return {
    name,
    ours: `${(bytes / 1000).toFixed(1)} kB`,
    peer: "—",
    ratio: `${(bytes / bar).toFixed(2)} of the bar`,
    bar: `under ${bar / 1000} kB`,
    holds: bytes < bar,
  };
}
