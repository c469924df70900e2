/**
 * Measures how much processor time 500 open pages of a busy workspace cost. In each second, one run begins,
 * one run ends, and ten runs report progress. The result is compared with the same load without open pages.
 * The result calls that load `peer`.
 */
import { systemClock } from "../../src/domain/clock.ts";
import { until } from "../../tests/support/assertions/until.ts";
import { print, type Result } from "../result.ts";
import type { PagesOrder, PagesReport } from "./live_pages.ts";
import { scaled, ScaleStage } from "./stage.ts";

const PASSWORD = "hollow acorn under the eaves";
const SERVERS = 20;
/** The seconds that a run takes. */
const RUN_SECONDS = 10;
const SECONDS = Number(Deno.env.get("BENCH_SECONDS") ?? 60);
/**
 * Path of the page that the open pages fetch again after a change. The cost of this is only printed, for
 * information.
 */
const PATH = "/";

export async function benchLive(): Promise<Result[]> {
  const pages = scaled(500);
  await using stage = await ScaleStage.open();
  const { ids, keys, destinationId } = await stage.plantServers(SERVERS);
  await stage.plantTasks(ids, destinationId, 1);
  await stage.startAgents({ keys, linesPerSecond: 2, seconds: RUN_SECONDS, reportsProgress: true });
  await stage.allConnected(SERVERS);
  const cookies = await logIn(stage, Math.ceil(pages / 50));
  await using load = startRuns(stage);
  await systemClock.sleep((RUN_SECONDS + 10) * 1000);
  const alone = await share(stage);
  const followed = await withPages(stage, { cookies, pages, path: null });
  const fetched = await withPages(stage, { cookies, pages, path: PATH });
  await load[Symbol.asyncDispose]();
  const cost = followed.share - alone;
  print(
    `${pages} pages that also fetch ${PATH} again: ${percent(fetched.share)} of a core, ` +
      `${(fetched.report.fetched / SECONDS).toFixed(1)} requests/s`,
  );
  return [
    {
      name: `${pages} open pages, a run ending each second`,
      ours: `${percent(followed.share)} of a core, ${(followed.report.events / SECONDS).toFixed(0)} events/s`,
      peer: `without pages ${percent(alone)}`,
      ratio: `${percent(cost)} more`,
      bar: "at most 20 % of a core more",
      holds: cost <= 0.2,
    },
    {
      name: "… the page with the fewest events",
      ours: `${followed.report.fewest} in ${SECONDS} s`,
      peer: `on average ${(followed.report.events / pages).toFixed(0)}`,
      ratio: (followed.report.fewest * pages / followed.report.events).toFixed(2),
      bar: "at least 0.5",
      holds: followed.report.fewest * pages >= 0.5 * followed.report.events,
    },
  ];
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

/** Returns the share of a core that the control plane uses in the next seconds. */
async function share(stage: ScaleStage): Promise<number> {
  const [start, before] = [performance.now(), await stage.processorTime()];
  await systemClock.sleep(SECONDS * 1000);
  return (await stage.processorTime() - before) / ((performance.now() - start) / 1000);
}

async function withPages(
  stage: ScaleStage,
  order: Pick<PagesOrder, "cookies" | "pages" | "path">,
): Promise<{ share: number; report: PagesReport }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", new URL("live_pages.ts", import.meta.url).pathname],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const whole: PagesOrder = { ...order, url: stage.url, seconds: SECONDS };
  await new Response(JSON.stringify(whole)).body!.pipeTo(child.stdin);
  let text = "";
  const reading = (async () => {
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) text += piece;
  })();
  await Promise.race([until(() => text.includes("open"), 120_000), child.status]);
  const used = await share(stage);
  const [, status] = await Promise.all([reading, child.status]);
  if (!status.success) throw new Error("The pages have failed");
  return { share: used, report: JSON.parse(text.slice(text.indexOf("{"))) };
}

/** Starts a run each second, on one server after the other, until the returned object is disposed. */
function startRuns({ api, sql }: ScaleStage): AsyncDisposable {
  const over = new AbortController();
  const starting = (async () => {
    const tasks = await sql<{ id: number }[]>`select id from backup_tasks order by id`;
    for (let n = 0; !over.signal.aborted; n++) {
      const { status, body } = await api.call("POST", `/backup-tasks/${tasks[n % tasks.length]!.id}/run`);
      if (status !== 202) print(`A run did not start: ${JSON.stringify(body)}`);
      await systemClock.sleep(1000, over.signal).catch(() => {});
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await starting;
    },
  };
}

/** Sets the administrator's password, and opens sessions. Returns their cookies. */
async function logIn({ api, url, userId }: ScaleStage, count: number): Promise<string[]> {
  const link = (await api.call("POST", `/users/${userId}/setup-link`)).body.data.url as string;
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return response.headers.getSetCookie()[0]!.split(";")[0]!;
  };
  const cookies = [
    await post("/api/login/setup", {
      setup_token: new URL(link).searchParams.get("token"),
      password: PASSWORD,
    }),
  ];
  const { body } = await api.call("GET", "/user");
  while (cookies.length < count) {
    cookies.push(await post("/api/login", { email: body.data.personal_info.email, password: PASSWORD }));
  }
  return cookies;
}
