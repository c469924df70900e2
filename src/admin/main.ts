/** Commands that need direct access to the database or the destinations, without a control plane. */
import { parseArgs } from "node:util";
import { type Config, readConfig } from "../config.ts";
import { systemClock } from "../domain/clock.ts";
import { RELEASE } from "../domain/release.ts";
import { DatabaseClock } from "../store/database/database_clock.ts";
import { print, printError } from "../process/terminal.ts";
import { setUpLogging } from "../telemetry/logging.ts";
import { makeAdministratorToken } from "./administrator_token.ts";
import { holdsDatabase, joinDatabase } from "./joined_database.ts";
import { rotateKey } from "./key_rotation.ts";
import { keyStatus } from "./key_status.ts";
import { makeSetupLink } from "./login_reset.ts";
import { setupUrl } from "../services/access/setup_links.ts";
import { openRepository } from "./repository.ts";
import { recover } from "./recover.ts";
import { InvalidError } from "../domain/errors.ts";
import { RecoveryError } from "./recovery_error.ts";

const USAGE = `Usage: deno task admin recover --from PLACE [--from-manifests]
       deno task admin key status
       deno task admin key rotate [--patience SECONDS]
       deno task admin token [--email EMAIL]
       deno task admin reset-login [--email EMAIL]
       deno task admin --version

recover makes a new control plane in an empty database.

  --from PLACE       a directory, s3://BUCKET/PREFIX, sftp://USER@HOST:PORT/DIRECTORY (sftp://USER@HOST/~/DIRECTORY is
                     below the account's home directory) or webdavs://USER@HOST:PORT/PATH (webdav:// without TLS),
                     with the old one's backups
  --yes              without DATABASE_URL and DATA_DIR: creates a new embedded database without a prompt
  --from-manifests   without a backup of the control plane: imports every backup that has a manifest there

key status shows which keys encrypt stored secrets and which control planes hold them. key rotate creates a new key
and encrypts every secret with it, while control planes run. If it is interrupted, the next call continues it.

  --patience SECONDS   how long control planes may take to read the changed key file (default 60)

token creates an API token with every ability, for administrators who have no token left.

  --email EMAIL   the token's owner (default: the first administrator)

reset-login makes a set-up link, with which a user who can't log in any more sets a new password, once.

  --email EMAIL   the user (default: the first administrator)

Environment:
  DATABASE_URL, DATA_DIR, SECRET_KEY, SECRET_KEY_FILE     as for the control plane itself
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION    for a bucket; AWS_ENDPOINT_URL if it is not Amazon's
  SFTP_HOST_KEY                                           for an SSH server: the fingerprint of its host key
  SFTP_PRIVATE_KEY_FILE, SFTP_PASSWORD                    the login to it; without either, the password is prompted for
  SFTP_PRIVATE_KEY_PASSPHRASE                             decrypts the private key
  WEBDAV_PASSWORD                                         for a WebDAV server; without it, the password is prompted for
  ENCRYPTION_PASSWORDS                                    passwords of encrypted backups, one on each line
  AGE_IDENTITY                                            a secret key, for a backup that is encrypted to recipients
`;

interface Values {
  readonly from?: string;
  readonly "from-manifests"?: boolean;
  readonly patience?: string;
  readonly email?: string;
  readonly yes?: boolean;
}

/** Maps each command to its function, and to the verb for its error messages. */
const COMMANDS: Readonly<
  Record<string, { what: string; run(config: Config, values: Values): Promise<void> }>
> = {
  "recover": { what: "recover", run: runRecover },
  "key status": { what: "show the keys", run: runKeyStatus },
  "token": { what: "make a token", run: runToken },
  "reset-login": { what: "make a set-up link", run: runResetLogin },
  "key rotate": { what: "rotate the key", run: runKeyRotate },
};

async function runRecover(config: Config, values: Values): Promise<void> {
  const { from, "from-manifests": fromManifests } = values;
  const environment = Deno.env.toObject();
  if (!values.yes) await confirmDatabase(config, environment);
  await using repository = await openRepository(from!, environment, systemClock);
  const recovery = { repository, config, clock: systemClock, environment, operator: operator(), print };
  const token = await recover(recovery, fromManifests ? "manifests" : "backup");
  print(`A new administrator's API token, shown only now: ${token}`);
  print(
    "The control plane is recovered. Start it as usual, with the same DATABASE_URL, DATA_DIR and secret key.",
  );
}

/**
 * Asks the operator before a database is created in the default location. The operator might have forgotten
 * to set DATABASE_URL. The recovery would then fill a database that the control plane never reads.
 */
async function confirmDatabase(config: Config, environment: Record<string, string>): Promise<void> {
  if (config.databaseUrl !== null || environment.DATA_DIR) return;
  if (await holdsDatabase(config)) return;
  const question =
    `DATABASE_URL is not set. Recover into a new embedded database in ${config.dataDirectory}?`;
  if (Deno.stdin.isTerminal() && confirm(question)) return;
  throw new RecoveryError(
    `Cannot recover: DATABASE_URL is not set, and ${config.dataDirectory} holds no database. Set DATABASE_URL, or ` +
      "DATA_DIR, or pass --yes to create a new embedded database there.",
  );
}

async function runKeyStatus(config: Config): Promise<void> {
  await using joined = await joinDatabase(config, systemClock);
  using clock = await DatabaseClock.follow(joined.database);
  for (const line of await keyStatus(config, joined.database, clock)) print(line);
}

async function runKeyRotate(config: Config, { patience }: Values): Promise<void> {
  await using joined = await joinDatabase(config, systemClock);
  using clock = await DatabaseClock.follow(joined.database);
  await rotateKey({
    config,
    clock,
    database: joined.database,
    operator: operator(),
    patience: Number(patience ?? 60) * 1000,
    print,
  });
}

async function runToken(config: Config, { email }: Values): Promise<void> {
  await using joined = await joinDatabase(config, systemClock);
  const { database } = joined;
  using clock = await DatabaseClock.follow(database);
  const made = await makeAdministratorToken({
    database,
    clock,
    operator: operator(),
    email: email ?? null,
  });
  print(`A new API token of ${made.email}, shown only now: ${made.token}`);
}

async function runResetLogin(config: Config, { email }: Values): Promise<void> {
  await using joined = await joinDatabase(config, systemClock);
  const { database } = joined;
  using clock = await DatabaseClock.follow(database);
  const made = await makeSetupLink({ database, clock, operator: operator(), email: email ?? null });
  const url = config.publicUrl ?? `http://127.0.0.1:${config.port}`;
  print(`A set-up link for ${made.email}, valid for 24 hours, once: ${setupUrl(url, made.link)}`);
}

/** Returns the name of the user who runs the command. Under `sudo`, this is the user who called `sudo`. */
function operator(): string {
  return Deno.env.get("SUDO_USER") || Deno.env.get("USER") || `uid ${Deno.uid()}`;
}

async function main(args: string[]): Promise<number> {
  let what = "recover";
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        from: { type: "string" },
        "from-manifests": { type: "boolean" },
        patience: { type: "string" },
        yes: { type: "boolean" },
        email: { type: "string" },
        help: { type: "boolean" },
        version: { type: "boolean" },
      },
    });
    const name = positionals.join(" ");
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    const isWhole = name !== "recover" || values.from !== undefined;
    const isPatience = /^\d{1,5}$/.test(values.patience ?? "0");
    if (values.version) {
      print(`rearguard ${RELEASE}`);
      return 0;
    }
    if (values.help || command === undefined || !isWhole || !isPatience) {
      (values.help ? print : printError)(USAGE.trimEnd());
      return values.help ? 0 : 2;
    }
    what = command.what;
    const config = readConfig(Deno.env.toObject(), { localAgent: false, isRoot: Deno.uid() === 0 });
    await setUpLogging({ level: "warning", format: config.logFormat });
    await command.run(config, values);
    return 0;
  } catch (error) {
    const message = messageOf(error).replaceAll(/\s*\n\s*/g, " ");
    printError(
      error instanceof RecoveryError || /^Cannot /.test(message) ? message : `Cannot ${what}: ${message}`,
    );
    return 1;
  }
}

/**
 * Returns an error's message. For an error about invalid input, joins the messages of all fields. Leaves out
 * the fields' names, because an operator on the command line does not enter them.
 */
function messageOf(error: unknown): string {
  if (!(error instanceof InvalidError)) return (error as Error).message;
  return Object.values(error.errors).flat().join(" ");
}

if (import.meta.main) Deno.exit(await main(Deno.args));
