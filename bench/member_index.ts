/**
 * Measures the cost of an archive's index: its size in relation to the archive, and its processor time in
 * relation to a run. A run always writes an index. For a comparison, this program runs tar and pzstd
 * directly, once with an index and once without. The checksums of frames add no cost, because the index
 * copies them from the archive.
 */
import { join } from "node:path";
import { tarArguments } from "../agent/engine/sources/files/files.ts";
import { startPlanned } from "./control_plane.ts";
import { median, print, type Result } from "./result.ts";
import { storedAs } from "./stored.ts";
import { writeMixedFiles, writeSmallFiles } from "./trees.ts";

interface Tree {
  name: string;
  write: (directory: string) => { bytes: number };
  rounds: number;
}

const TREES: Tree[] = [
  { name: "200,000 small files", write: writeSmallFiles, rounds: 9 },
  { name: "4 GB mixed", write: writeMixedFiles, rounds: 3 },
];

export async function benchMemberIndex(): Promise<Result[]> {
  const results: Result[] = [];
  for (const tree of TREES) results.push(...await benchTree(tree));
  return results;
}

async function benchTree({ name, write, rounds }: Tree): Promise<Result[]> {
  const directory = await Deno.makeTempDir({ dir: Deno.env.get("BENCH_DIR") ?? "/var/tmp" });
  try {
    const tree = join(directory, "tree");
    await Deno.mkdir(tree);
    const { bytes } = write(tree);
    print(`  ${name}: ${(bytes / 1e9).toFixed(2)} GB`);
    const backups = join(directory, "backups");
    await using planned = await startPlanned({ source: tree, backups, keep: 0 });
    const before = await processorTimeOf(planned.plane.agentPid);
    await planned.run();
    const run = await processorTimeOf(planned.plane.agentPid) - before;
    return [sizes(name, backups), await times(name, directory, tree, rounds, run)];
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function sizes(name: string, backups: string): Result {
  const index = Deno.statSync(storedAs(backups, ".index.zst")).size;
  const archive = Deno.statSync(storedAs(backups, ".tar.zst")).size;
  return {
    name: `Index of ${name}`,
    ours: `${(index / 1e6).toFixed(1)} MB`,
    peer: `archive ${(archive / 1e6).toFixed(0)} MB`,
    ratio: `${(100 * index / archive).toFixed(2)} %`,
    bar: "at most 2 %",
    holds: index / archive <= 0.02,
  };
}

async function times(
  name: string,
  directory: string,
  tree: string,
  rounds: number,
  run: number,
): Promise<Result> {
  const measured = { with: [] as number[], without: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    measured.without.push(await archive(directory, tree, false));
    measured.with.push(await archive(directory, tree, true));
  }
  const extra = median(measured.with) - median(measured.without);
  return {
    name: `Processor time of it, ${name}`,
    ours: `${extra.toFixed(2)} s`,
    peer: `the run ${run.toFixed(2)} s`,
    ratio: `${(100 * extra / run).toFixed(1)} %`,
    bar: "at most 3 %",
    holds: extra / run <= 0.03,
  };
}

/**
 * Returns the processor seconds of a process and of the programs that it has waited for. The times are fields
 * 14 to 17 of `stat` (proc(5)), in hundredths of a second.
 */
async function processorTimeOf(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) / 100, 0);
}

/**
 * Returns the processor seconds that archiving the tree takes. Elapsed time would depend much more on other
 * load, because tar and pzstd occupy two processors.
 */
async function archive(directory: string, tree: string, indexed: boolean): Promise<number> {
  const index = join(directory, "index");
  const target = join(directory, "archive");
  const listing = ["--verbose", "--verbose", "--block-number", "--full-time", "--utc", "--quoting-style=c"];
  const args = tarArguments(["--sparse", "--one-file-system", `--directory=${tree}`], ".").filter((
    argument,
  ) => indexed || !listing.includes(argument));
  const after = indexed ? 'zstd -q -f -3 "$0"' : ":";
  const script = `tar "$@" 3>&1 >"$0" | pzstd -q -3 -c >"${target}" && ${after}; times`;
  const { success, stdout } = await new Deno.Command("bash", {
    args: ["-euo", "pipefail", "-c", script, index, ...args],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("Cannot measure tar and pzstd: they failed");
  return processorTime(new TextDecoder().decode(stdout));
}

/** Parses the output of bash's `times`. Returns the processor seconds of bash's children. */
function processorTime(times: string): number {
  const found = times.trim().split("\n")[1]!.matchAll(/(\d+)m([\d.]+)s/g);
  return [...found].reduce((sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds), 0);
}
