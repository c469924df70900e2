/**
 * Compares Rearguard with `tar` and two common compressors. Each of them backs up the same trees to a local
 * directory.
 */
import { join } from "node:path";
import { type PlannedControlPlane, startPlanned } from "./control_plane.ts";
import { median, print, type Result } from "./result.ts";
import { writeMixedFiles, writeSmallFiles } from "./trees.ts";

const ROUNDS = 5;
const MB = 1024 * 1024;

export async function benchFiles(): Promise<Result[]> {
  // The directory is not below /tmp, because /tmp may be in memory.
  const directory = await Deno.makeTempDir({ dir: Deno.env.get("BENCH_DIR") ?? "/var/tmp" });
  const results: Result[] = [];
  try {
    for (
      const [name, write] of [
        ["200,000 small files", () => writeSmallFiles(join(directory, "tree"))],
        ["4 GB mixed", () => writeMixedFiles(join(directory, "tree"))],
      ] as const
    ) {
      await Deno.mkdir(join(directory, "tree"));
      const { bytes } = write();
      print(`  ${name}: ${(bytes / 1e9).toFixed(2)} GB`);
      results.push(...await measure(name, directory));
      await Deno.remove(join(directory, "tree"), { recursive: true });
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  return results;
}

async function measure(name: string, directory: string): Promise<Result[]> {
  const tree = join(directory, "tree");
  const backups = join(directory, "backups");
  await using planned = await startPlanned({ source: tree, backups, keep: 0 });
  const idle = await residentBytes(planned.plane.agentPid);
  const archive = join(directory, "peer.tar.zst");
  const peer = (compressor: string) => tarInto(tree, archive, compressor);
  await peer("pzstd -q -3"); // the page cache is warm for all of them from here
  const times = { ours: [] as number[], pzstd: [] as number[], zstd: [] as number[] };
  let peak = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { seconds, resident } = await ourRun(planned);
    times.ours.push(seconds);
    peak = Math.max(peak, resident);
    await Deno.remove(backups, { recursive: true });
    times.pzstd.push(await peer("pzstd -q -3"));
    times.zstd.push(await peer("zstd -q -3 -T0"));
  }
  const ours = median(times.ours);
  const against = (label: string, seconds: number, bar: number): Result => ({
    name: `${name} to a local destination`,
    ours: `${ours.toFixed(2)} s`,
    peer: `${label} ${seconds.toFixed(2)} s`,
    ratio: (ours / seconds).toFixed(2),
    bar: `at most ${bar.toFixed(2)}`,
    holds: ours / seconds <= bar,
  });
  const memory = (what: string, bytes: number, bar: number): Result => ({
    name: `Agent's RSS ${what} (${name})`,
    ours: `${(bytes / MB).toFixed(0)} MB`,
    peer: "—",
    ratio: `${(bytes / MB / bar).toFixed(2)} of the bar`,
    bar: `at most ${bar} MB`,
    holds: bytes / MB <= bar,
  });
  return [
    against("tar -I 'pzstd -3'", median(times.pzstd), 1.1),
    against("tar -I 'zstd -3 -T0'", median(times.zstd), 1.15),
    memory("idle", idle, 60),
    memory("at its most", peak, 120),
  ];
}

/**
 * Runs the task. Returns the seconds from the request to the end of the run, and the agent's peak memory in
 * bytes.
 */
async function ourRun({ plane, run }: PlannedControlPlane): Promise<{ seconds: number; resident: number }> {
  await settle();
  let resident = 0;
  const timer = setInterval(async () => {
    resident = Math.max(resident, await residentBytes(plane.agentPid));
  }, 50);
  const start = performance.now();
  await run();
  clearInterval(timer);
  return { seconds: (performance.now() - start) / 1000, resident };
}

/** Writes pending data to the disk, so that these writes do not affect the next measurement. */
async function settle(): Promise<void> {
  await new Deno.Command("sync").output();
}

/**
 * Archives the tree into a new file, as a run does, and returns the seconds. The file is always new, because
 * an overwritten file would already have pages in memory.
 */
async function tarInto(tree: string, archive: string, compressor: string): Promise<number> {
  await settle();
  const start = performance.now();
  const { success } = await new Deno.Command("tar", {
    args: ["-C", tree, "-I", compressor, "-cf", archive, "."],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot measure tar -I '${compressor}': it failed`);
  const seconds = (performance.now() - start) / 1000;
  await Deno.remove(archive);
  return seconds;
}

async function residentBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
