/**
 * What the index of an archive costs: its size beside the archive's, and its time by the bare programs, which archive the same
 * tree as a run does with and without it. A run writes no archive without one.
 */
import { join } from "node:path";
import { tarArguments } from "../agent/engine/sources/files.ts";
import { startPlanned } from "./control_plane.ts";
import { median, print, type Result } from "./result.ts";
import { storedAs, timed } from "./stored.ts";
import { writeSmallFiles } from "./trees.ts";

const ROUNDS = 9;

export async function benchMemberIndex(): Promise<Result[]> {
  const directory = await Deno.makeTempDir({ dir: Deno.env.get("BENCH_DIR") ?? "/var/tmp" });
  try {
    const tree = join(directory, "tree");
    await Deno.mkdir(tree);
    const { bytes } = writeSmallFiles(tree);
    print(`  200,000 small files: ${(bytes / 1e9).toFixed(2)} GB`);
    const backups = join(directory, "backups");
    await using planned = await startPlanned({ source: tree, backups, keep: 0 });
    await planned.run();
    return [sizes(backups), await times(directory, tree)];
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function sizes(backups: string): Result {
  const index = Deno.statSync(storedAs(backups, ".index.zst")).size;
  const archive = Deno.statSync(storedAs(backups, ".tar.zst")).size;
  return {
    name: "Index of 200,000 small files",
    ours: `${(index / 1e6).toFixed(1)} MB`,
    peer: `archive ${(archive / 1e6).toFixed(0)} MB`,
    ratio: `${(100 * index / archive).toFixed(2)} %`,
    bar: "at most 2 %",
    holds: index / archive <= 0.02,
  };
}

async function times(directory: string, tree: string): Promise<Result> {
  const measured = { with: [] as number[], without: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    measured.without.push(await timed(directory, () => archive(directory, tree, false)));
    measured.with.push(await timed(directory, () => archive(directory, tree, true)));
  }
  const [slow, fast] = [median(measured.with), median(measured.without)];
  const share = slow / fast - 1;
  return {
    name: "Time that it takes, of the archive's",
    ours: `${slow.toFixed(2)} s`,
    peer: `without ${fast.toFixed(2)} s`,
    ratio: `${(100 * share).toFixed(1)} %`,
    bar: "at most 3 %",
    holds: share <= 0.03,
  };
}

async function archive(directory: string, tree: string, indexed: boolean): Promise<void> {
  const index = join(directory, "index");
  const target = join(directory, "archive");
  const listing = ["--verbose", "--verbose", "--block-number", "--full-time", "--utc", "--quoting-style=c"];
  const args = tarArguments(tree, [], ".").filter((argument) => indexed || !listing.includes(argument));
  const after = indexed ? 'zstd -q -f -3 "$0"' : ":";
  const script = `tar "$@" 3>&1 >"$0" | pzstd -q -3 -c >"${target}" && ${after}`;
  const { success } = await new Deno.Command("bash", {
    args: ["-euo", "pipefail", "-c", script, index, ...args],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("Cannot measure tar and pzstd: they failed");
}
