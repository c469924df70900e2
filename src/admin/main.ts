/** Commands that need the database or the destinations themselves, where there is no control plane to ask. */
import { parseArgs } from "node:util";
import { readConfig } from "../config.ts";
import { systemClock } from "../domain/clock.ts";
import { complain, say } from "../process/terminal.ts";
import { setUpLogging } from "../telemetry/logging.ts";
import { openPlace } from "./place.ts";
import { recover } from "./recover.ts";
import { RecoveryError } from "./recovery_error.ts";

const USAGE = `Usage: deno task admin recover --from PLACE [--from-manifests]

Makes a new control plane in an empty database.

  --from PLACE       a directory, s3://BUCKET/PREFIX or sftp://USER@HOST:PORT/DIRECTORY (sftp://USER@HOST/~/DIRECTORY is
                     below the account's own), with what the old one backed up
  --from-manifests   without a backup of the control plane: lists every backup that has a manifest there

Environment:
  DATABASE_URL, DATA_DIR, SECRET_KEY, SECRET_KEY_FILE     as for the control plane itself
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION    of a bucket; AWS_ENDPOINT_URL where it is not Amazon's
  SFTP_HOST_KEY                                           of an SSH server: the fingerprint that it is trusted by
  SFTP_PRIVATE_KEY_FILE, SFTP_PASSWORD                    what it lets in; without either, a password is asked for
  ENCRYPTION_PASSWORDS                                    of encrypted backups, one a line
  AGE_IDENTITY                                            the secret key of a backup that is encrypted to recipients
`;

async function main(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { from: { type: "string" }, "from-manifests": { type: "boolean" }, help: { type: "boolean" } },
    });
    if (values.help || positionals.join(" ") !== "recover" || values.from === undefined) {
      (values.help ? say : complain)(USAGE.trimEnd());
      return values.help ? 0 : 2;
    }
    const environment = Deno.env.toObject();
    const config = readConfig(environment, { localAgent: false, isRoot: Deno.uid() === 0 });
    await setUpLogging({ level: "warning", format: config.logFormat });
    await using place = await openPlace(values.from, environment, systemClock);
    const how = values["from-manifests"] ? "manifests" : "backup";
    const token = await recover({ place, config, clock: systemClock, environment, say }, how);
    say(`A new administrator's API token, shown only now: ${token}`);
    say(
      "The control plane is recovered. Start it as usual, with the same DATABASE_URL, DATA_DIR and secret key.",
    );
    return 0;
  } catch (error) {
    const message = (error as Error).message.replaceAll(/\s*\n\s*/g, " ");
    complain(
      error instanceof RecoveryError || /^Cannot /.test(message) ? message : `Cannot recover: ${message}`,
    );
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
