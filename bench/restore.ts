/**
 * Measures two kinds of restores: of a whole tree, compared with zstd and tar, and of one file in a large
 * archive on S3.
 */
import { join } from "node:path";
import { TestS3 } from "../tests/support/servers/s3.ts";
import { startPlanned } from "./control_plane.ts";
import { median, print, type Result } from "./result.ts";
import { storedAs, timed } from "./stored.ts";
import { writeSmallFiles } from "./trees.ts";

const ROUNDS = 3;
const LARGE_FILES = 10_000;
const LARGE_BYTES = 1_000_000;

export function benchRestore(): Promise<Result[]> {
  return within(wholeTree);
}

export function benchOneFile(): Promise<Result[]> {
  return within(async (directory) => [await oneFile(directory)]);
}

async function within(work: (directory: string) => Promise<Result[]>): Promise<Result[]> {
  const directory = await Deno.makeTempDir({ dir: Deno.env.get("BENCH_DIR") ?? "/var/tmp" });
  try {
    return await work(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function wholeTree(directory: string): Promise<Result[]> {
  const tree = join(directory, "tree");
  await Deno.mkdir(tree);
  const { bytes } = writeSmallFiles(tree);
  print(`  200,000 small files: ${(bytes / 1e9).toFixed(2)} GB`);
  const backups = join(directory, "backups");
  await using planned = await startPlanned({ source: tree, backups, keep: 0 });
  await planned.run();
  await Deno.remove(tree, { recursive: true });
  const archive = storedAs(backups, ".tar.zst");
  const times = { ours: [] as number[], peer: [] as number[] };
  const target = join(directory, "target");
  for (let round = 0; round < ROUNDS; round++) {
    times.ours.push(await timed(directory, () => planned.restore(target)));
    await Deno.remove(target, { recursive: true });
    times.peer.push(await timed(directory, () => unpack(archive, target)));
    await Deno.remove(target, { recursive: true });
    print(`  ${times.ours.at(-1)!.toFixed(2)} s compared with ${times.peer.at(-1)!.toFixed(2)} s`);
  }
  const [ours, peer] = [median(times.ours), median(times.peer)];
  return [{
    name: "Restore of 200,000 small files",
    ours: `${ours.toFixed(2)} s`,
    peer: `zstd -d | tar -x ${peer.toFixed(2)} s`,
    ratio: (ours / peer).toFixed(2),
    bar: "at most 1.15",
    holds: ours / peer <= 1.15,
  }];
}

/** Restores one file of 1 MB from an archive of 10 GB on S3. */
async function oneFile(directory: string): Promise<Result> {
  const tree = join(directory, "large");
  await Deno.mkdir(tree);
  const noise = new Uint8Array(LARGE_BYTES);
  for (let index = 0; index < LARGE_FILES; index++) {
    for (let at = 0; at < noise.length; at += 50_000) crypto.getRandomValues(noise.subarray(at, at + 50_000));
    Deno.writeFileSync(join(tree, `file-${index}`), noise);
  }
  print(`  ${LARGE_FILES} files of 1 MB`);
  await using s3 = await TestS3.open();
  const destination = {
    label: "a bucket",
    type: "custom_s3",
    s3_access_key: s3.accessKey,
    s3_secret_key: s3.secretKey,
    s3_bucket_name: s3.bucket,
    custom_s3_endpoint: s3.endpoint,
    path_style_endpoint: true,
  };
  await using planned = await startPlanned({ source: tree, backups: "", keep: 0, destination });
  await planned.run();
  const target = join(directory, "one");
  const read = await planned.restore(target, ["file-4711"]);
  const stored = LARGE_FILES * LARGE_BYTES;
  return {
    name: "One file of 1 MB out of 10 GB on S3",
    ours: `${(read / 1e6).toFixed(1)} MB read`,
    peer: "10 GB stored",
    ratio: `${(100 * read / stored).toFixed(2)} %`,
    bar: "under 1 %",
    holds: read / stored < 0.01,
  };
}

async function unpack(archive: string, target: string): Promise<void> {
  await Deno.mkdir(target);
  const script = 'zstd -dc "$1" | tar -x -C "$2"';
  const { success } = await new Deno.Command("bash", {
    args: ["-euo", "pipefail", "-c", script, "bash", archive, target],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("Cannot measure zstd and tar: they failed");
}
