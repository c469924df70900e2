/**
 * Compares the requests per second of two endpoints with those of a bare Hono server. The bare server sends
 * the same queries to the same database.
 */
import { randomBytes } from "node:crypto";
import { ABILITIES } from "../src/domain/abilities.ts";
import { issueToken } from "../src/services/access/tokens.ts";
import { testServices } from "../tests/support/fixtures/database.ts";
import { plant } from "../tests/support/fixtures/planted.ts";
import { median, type Result } from "./result.ts";

const ROUNDS = 3;

export async function benchHttp(): Promise<Result[]> {
  await using test = await testServices({ now: new Date() });
  const { services } = test;
  const { caller, taskId } = await plant(services);
  for (let i = 0; i < 40; i++) await copyTask(services, taskId);
  const { plain: token } = await issueToken(services, {
    userId: caller.userId,
    name: "bench",
    abilities: [...ABILITIES],
    expiresAt: null,
    plain: `rg_${randomBytes(32).toString("base64url")}`,
  });
  const ours = await startServer("rearguard", test.url);
  const bare = await startServer("bare", test.url);
  const results: Result[] = [];
  for (
    const [name, path] of [
      ["GET /api/backup-tasks, 15 rows", "/api/backup-tasks"],
      ["GET /api/backup-tasks/{id}", `/api/backup-tasks/${taskId}`],
    ] as const
  ) {
    const rates = { ours: [] as number[], bare: [] as number[] };
    // Measures both servers in turns, so that other load on the machine affects both.
    for (let round = 0; round < ROUNDS; round++) {
      rates.ours.push(await load(ours.port, path, token));
      rates.bare.push(await load(bare.port, path, token));
    }
    const ratio = median(rates.ours) / median(rates.bare);
    results.push({
      name,
      ours: `${median(rates.ours).toFixed(0)}/s`,
      peer: `bare Hono ${median(rates.bare).toFixed(0)}/s`,
      ratio: ratio.toFixed(2),
      bar: "at least 0.50",
      holds: ratio >= 0.5,
    });
  }
  await ours.stop();
  await bare.stop();
  return results;
}

async function copyTask(
  services: { database: Awaited<ReturnType<typeof testServices>>["database"] },
  id: number,
) {
  await services.database`
    insert into backup_tasks (user_id, remote_server_id, backup_destination_id, label, type, source_settings, frequency,
      time_to_run_at, timezone, created_at, updated_at)
    select user_id, remote_server_id, backup_destination_id, label, type, source_settings, frequency, time_to_run_at,
      timezone, created_at, updated_at from backup_tasks where id = ${id}`;
}

async function startServer(which: string, url: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("http_server.ts", import.meta.url).pathname, which],
    env: { BENCH_DATABASE_URL: url },
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const port = Number(new TextDecoder().decode(value).trim());
  return {
    port,
    async stop() {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}

/** Runs wrk with 16 connections for 4 seconds. Returns the requests per second. */
async function load(port: number, path: string, token: string): Promise<number> {
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  // The token is not an argument, because other users can read arguments.
  await Deno.writeTextFile(script, `wrk.headers["Authorization"] = "Bearer ${token}"\n`);
  const { stdout } = await new Deno.Command("wrk", {
    args: ["-t1", "-c16", "-d4s", "-s", script, `http://127.0.0.1:${port}${path}`],
  }).output();
  await Deno.remove(script);
  const text = new TextDecoder().decode(stdout);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text)?.[1];
  if (rate === undefined || /Non-2xx/.test(text)) throw new Error(`Cannot measure ${path}: wrk says ${text}`);
  return Number(rate);
}
