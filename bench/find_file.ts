/**
 * Measures the search for a file in 30 backups of 200,000 files each, through the API, a control plane and an
 * agent.
 */
import { join } from "node:path";
import { startPlanned } from "./control_plane.ts";
import { median, print, type Result } from "./result.ts";

const BACKUPS = 30;
const FILES = 200_000;
const ROUNDS = 5;
const BAR = 3;
/** What is searched for: the name of one file, and a glob that matches more files than a response lists. */
const PATTERNS = { "one file": "file-123456.txt", "a glob": "*12?4*" };

export async function benchFindFile(): Promise<Result[]> {
  const directory = await Deno.makeTempDir({ dir: Deno.env.get("BENCH_DIR") ?? "/var/tmp" });
  try {
    const tree = join(directory, "tree");
    writeTinyFiles(tree);
    return [
      ...await search("30 backups of 200,000 files", directory, tree, {}),
      ...await search("30 encrypted ones", directory, tree, { encryption_password: "a long password" }),
    ];
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Writes files of one byte. The contents do not matter here, and this size keeps the archives small. */
function writeTinyFiles(tree: string): void {
  const digits = (number: number) => String(number).padStart(3, "0");
  for (let index = 0; index < FILES; index++) {
    const folder = join(tree, digits(Math.floor(index / 4000)), digits(Math.floor(index / 200) % 20));
    if (index % 200 === 0) Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(join(folder, `file-${index}.txt`), "x");
  }
}

async function search(name: string, directory: string, tree: string, fields: object): Promise<Result[]> {
  const backups = await Deno.makeTempDir({ dir: directory });
  await using planned = await startPlanned({ source: tree, backups, keep: 0, fields });
  for (let index = 0; index < BACKUPS; index++) {
    await Deno.writeTextFile(join(tree, "000", "000", "file-123.txt"), `version ${index}`);
    await planned.run();
    print(`  ${name}: ${index + 1} stored`);
  }
  const results: Result[] = [];
  for (const [what, pattern] of Object.entries(PATTERNS)) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now();
      const { searched_count, not_searched, data } = await planned.find(pattern);
      times.push((performance.now() - start) / 1000);
      if (searched_count !== BACKUPS || not_searched.length > 0 || data.length === 0) {
        throw new Error(`Not everything was searched: ${JSON.stringify(not_searched)}`);
      }
    }
    const [half, most] = [median(times), Math.max(...times)];
    print(`  ${what}: ${times.map((time) => time.toFixed(2)).join(" ")} s`);
    results.push({
      name: `Find ${what} in ${name}`,
      ours: `${half.toFixed(2)} s, at most ${most.toFixed(2)} s`,
      peer: "—",
      ratio: `${(most / BAR).toFixed(2)} of the bar`,
      bar: `under ${BAR} s`,
      holds: most < BAR,
    });
  }
  return results;
}
