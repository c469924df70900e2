/**
 * The scripts of every second task: a prescript and a postscript. Each appends a line to its own file when it
 * runs.
 */
import type { Stage } from "./stage.ts";
import type { World } from "./world.ts";

const TYPES = ["prescript", "postscript"] as const;

/**
 * Creates the scripts and returns their ids. Each script runs long enough for a fault to kill its agent
 * during the script.
 */
export async function createScripts({ api, root }: Pick<World, "api" | "root">): Promise<number[]> {
  const ids = [];
  for (const type of TYPES) {
    const note = `echo "\${REARGUARD_INVOCATION_ID%-*} $REARGUARD_RUN_ID" >>"${root}/${type}s"`;
    ids.push(await api.create("/scripts", { label: type, type, script: `sleep 0.1; ${note}; sleep 0.1\n` }));
  }
  return ids;
}

/**
 * Checks two rules:
 * - No script ran twice for one run.
 * - If a run's prescript wrote its line, the run's postscript ran.
 *
 * If only the postscript wrote its line, this is no problem: when a run is cancelled, its prescript might be
 * ended before it writes its line.
 */
export async function scriptsRanOnce({ world: { root } }: Pick<Stage, "world">): Promise<string[]> {
  const [pre, post] = await Promise.all(TYPES.map((type) => countsOf(`${root}/${type}s`)));
  const twice = [...pre!, ...post!].filter(([, count]) => count > 1)
    .map(([run, count]) => `a script ran ${count} times: ${run}`);
  const missing = [...pre!.keys()].filter((run) => !post!.has(run))
    .map((run) => `no postscript followed the prescript: ${run}`);
  return [...twice, ...missing];
}

/** Returns how often each line occurs in a file. */
async function countsOf(path: string): Promise<Map<string, number>> {
  const text = await Deno.readTextFile(path).catch(() => "");
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) if (line !== "") counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}
