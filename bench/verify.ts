/**
 * Compares a verification with sha256sum. A verification also inspects the contents; sha256sum only reads
 * them.
 */
import { join } from "node:path";
import { startPlanned } from "./control_plane.ts";
import { median, print, type Result } from "./result.ts";
import { storedAs, timed } from "./stored.ts";
import { writeMixedFiles } from "./trees.ts";

const ROUNDS = 5;

export async function benchVerify(): Promise<Result[]> {
  const directory = await Deno.makeTempDir({ dir: Deno.env.get("BENCH_DIR") ?? "/var/tmp" });
  try {
    const tree = join(directory, "tree");
    await Deno.mkdir(tree);
    const { bytes } = writeMixedFiles(tree);
    print(`  4 GB mixed: ${(bytes / 1e9).toFixed(2)} GB`);
    const backups = join(directory, "backups");
    await using planned = await startPlanned({ source: tree, backups, keep: 0 });
    await planned.run();
    await Deno.remove(tree, { recursive: true });
    const archive = storedAs(backups, ".tar.zst");
    const times = { ours: [] as number[], peer: [] as number[] };
    await sum(archive); // the page cache is warm for both from here
    for (let round = 0; round < ROUNDS; round++) {
      times.ours.push(await timed(directory, () => planned.verify()));
      times.peer.push(await timed(directory, () => sum(archive)));
    }
    const [ours, peer] = [median(times.ours), median(times.peer)];
    return [{
      name: `Verification of ${(Deno.statSync(archive).size / 1e9).toFixed(1)} GB, plain`,
      ours: `${ours.toFixed(2)} s`,
      peer: `sha256sum ${peer.toFixed(2)} s`,
      ratio: `${(peer / ours).toFixed(2)} of its speed`,
      bar: "at least 0.80",
      holds: peer / ours >= 0.8,
    }];
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function sum(path: string): Promise<void> {
  const { success } = await new Deno.Command("sha256sum", { args: [path], stdout: "null" }).output();
  if (!success) throw new Error("Cannot measure sha256sum: it failed");
}
