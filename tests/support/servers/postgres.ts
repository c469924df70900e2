/**
 * Starts a Postgres server for the databases of the tests in one process. The server stops when the process
 * ends.
 */
import { systemClock } from "../../../src/domain/clock.ts";
import { type EmbeddedPostgres, startEmbedded } from "../../../src/store/embedded/embedded.ts";
import { openDatabase } from "../../../src/store/database/database.ts";
import { memoryDirectory } from "../memory.ts";
import { freePort } from "./ports.ts";
import { scramHash } from "./scram.ts";

/** Starts a Postgres server without durability. The server's data is in a new directory below `parent`. */
export async function startTestPostgres(
  parent?: string,
): Promise<{ url: string; postgres: EmbeddedPostgres; directory: string }> {
  const directory = await Deno.makeTempDir({ dir: parent, prefix: "rearguard-test-postgres-" });
  const postgres = await startEmbedded({
    directory: `${directory}/postgres`,
    clock: systemClock,
    port: freePort(),
    durable: false,
    settings: { max_connections: 300, max_wal_size: "4GB" },
  });
  await watchOver(postgres.pid, directory);
  const { port, username, password } = postgres.connection;
  const sql = openDatabase(null, { ...postgres.connection, max: 1 });
  await sql.unsafe(`alter role ${username} password '${scramHash(password)}'`);
  await sql.end();
  return { url: `postgres://${username}:${password}@127.0.0.1:${port}/rearguard`, postgres, directory };
}

/**
 * Returns the URL of the Postgres server that all processes of the test run share. If there is no such
 * server, starts one for this process.
 */
export async function testPostgresUrl(): Promise<string> {
  const shared = Deno.env.get("TEST_DATABASE_URL");
  if (shared !== undefined) return shared;
  const { url } = await startTestPostgres(await memoryDirectory());
  // deno-lint-ignore rearguard-tests/shared-environment -- the other test files of this process find it
  Deno.env.set("TEST_DATABASE_URL", url);
  return url;
}

/** Stops the server and removes its directory once this process has ended, even if the process was killed. */
async function watchOver(postmaster: number, directory: string): Promise<void> {
  const script = `while kill -0 ${Deno.pid}; do sleep 1; done
    kill -QUIT ${postmaster}
    for _ in $(seq 100); do [ -e "$1/postgres/data/postmaster.pid" ] || break; sleep 0.1; done
    rm -rf "$1"`;
  const { success } = await new Deno.Command("sh", {
    args: ["-c", `setsid sh -c "$0" sh "$1" >/dev/null 2>&1 </dev/null &`, script, directory],
    stdin: "null",
  }).output();
  if (!success) throw new Error("Cannot watch over the test Postgres: sh or setsid failed");
}
