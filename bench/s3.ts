/**
 * Compares how fast the agent and rclone upload an archive. Both use the same S3 server. The server only
 * counts bytes.
 */
import { join } from "node:path";
import { median, type Result } from "./result.ts";
import { writeMixedFiles } from "./trees.ts";

const ROUNDS = 3;

export async function benchS3(): Promise<Result[]> {
  const directory = await Deno.makeTempDir({ dir: Deno.env.get("BENCH_DIR") ?? "/var/tmp" });
  try {
    return await measure(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function measure(directory: string): Promise<Result[]> {
  const archive = join(directory, "archive");
  // The archive's contents do not matter, so it contains noise and text.
  await Deno.mkdir(join(directory, "tree"));
  writeMixedFiles(join(directory, "tree"), { bytes: 2e9 });
  await run("tar", ["-cf", archive, "-C", directory, "tree"]);
  const sink = deno("s3_sink.ts");
  const reader = sink.stdout.getReader();
  const port = new TextDecoder().decode((await reader.read()).value).trim();
  const endpoint = `http://127.0.0.1:${port}`;
  const times = { ours: [] as number[], rclone: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.rclone.push(await rclone(archive, endpoint));
    const { stdout } = await deno("s3_client.ts", endpoint, archive).output();
    times.ours.push(Number(new TextDecoder().decode(stdout)));
  }
  const { size } = await Deno.stat(archive);
  sink.kill("SIGKILL");
  await reader.cancel();
  const rate = (seconds: number) => `${(size / 1e6 / seconds).toFixed(0)} MB/s`;
  const ratio = median(times.rclone) / median(times.ours);
  return [{
    name: "S3 multipart upload, 2 GB",
    ours: rate(median(times.ours)),
    peer: `rclone copyto ${rate(median(times.rclone))}`,
    ratio: ratio.toFixed(2),
    bar: "at least 0.80",
    holds: ratio >= 0.8,
  }];
}

function deno(script: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL(script, import.meta.url).pathname, ...args],
    stdout: "piped",
  }).spawn();
}

async function rclone(archive: string, endpoint: string): Promise<number> {
  const remote = [
    "--s3-provider=Other",
    "--s3-access-key-id=bench",
    "--s3-secret-access-key=bench-secret",
    `--s3-endpoint=${endpoint}`,
    "--s3-no-check-bucket",
    "--config=/dev/null",
  ];
  const start = performance.now();
  await run("rclone", ["copyto", ...remote, archive, ":s3:bench/rclone"]);
  return (performance.now() - start) / 1000;
}

async function run(program: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args,
    stdout: "null",
    stderr: "piped",
    // rclone must not find the user's own cloud settings.
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "", HOME: "/nonexistent" },
  }).output();
  if (!success) throw new Error(`Cannot measure: ${program} failed: ${new TextDecoder().decode(stderr)}`);
}
