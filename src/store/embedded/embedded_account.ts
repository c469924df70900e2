/**
 * Selects the user that runs the embedded Postgres. Postgres refuses to run as root. So if this process runs
 * as root, Postgres runs as a separate system user.
 */
import { EmbeddedPostgresError } from "./embedded_programs.ts";

const NAME = "rearguard-pg";

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Returns the system user that runs Postgres, and creates it if absent. If this process is not root, returns
 * null: Postgres then runs as the user of this process.
 */
export async function postgresAccount(): Promise<Account | null> {
  if (Deno.uid() !== 0) return null;
  const known = await lookUp();
  if (known !== null) return known;
  const made = await run("useradd", [
    "--system",
    "--user-group",
    "--no-create-home",
    "--home-dir",
    "/nonexistent",
    "--shell",
    "/usr/sbin/nologin",
    NAME,
  ]);
  // Look the user up again, even if `useradd` failed. It fails if another process has created the user at the
  // same time.
  const account = await lookUp();
  if (account !== null) return account;
  throw new EmbeddedPostgresError(
    `Cannot start the embedded Postgres: it does not run as root, and the system user ${NAME} could not be made ` +
      `(${made}); make it with useradd --system ${NAME}, or set DATABASE_URL`,
  );
}

async function lookUp(): Promise<Account | null> {
  for (const line of (await Deno.readTextFile("/etc/passwd")).split("\n")) {
    const fields = line.split(":");
    if (fields[0] === NAME) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  return null;
}

async function run(program: string, args: string[]): Promise<string> {
  try {
    const { stderr, code } = await new Deno.Command(program, { args, stdin: "null" }).output();
    return new TextDecoder().decode(stderr).trim() || `${program} ended with ${code}`;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return `${program} is not installed`;
    throw cause;
  }
}
