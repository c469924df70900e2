/**
 * A page to print and keep elsewhere: where backups are, which keys decrypt them, and which commands restore
 * them. The page contains no secret.
 */
import { fileURLToPath } from "node:url";
import { definitionOf } from "../../definitions/destinations/registry.ts";
import { shellQuote } from "../../domain/shell_quote.ts";
import { RELEASE } from "../../domain/release.ts";
import { kitControlPlanes, kitDestinations } from "../../store/installation/recovery_kit.ts";
import { sealingKeyIds } from "../../store/database/sealed_columns.ts";
import type { ServiceContext } from "../context.ts";

export interface RecoveryKit {
  made_at: Date;
  /** The release of this control plane. To recover the control plane, use the same or a later release. */
  program: { version: string; deno: string; directory: string };
  /** Address of the control plane's database, without the password. */
  database: string;
  secret_key: { place: string; key_ids: string[] };
  destinations: {
    id: number;
    label: string;
    owner: string;
    place: string;
    backups_count: number;
    newest_backup_at: Date | null;
    /**
     * Whether some of the backups are encrypted with a password. `recipients` are the public keys for which
     * backups are encrypted.
     */
    needs_password: boolean;
    recipients: string[];
  }[];
  control_plane: { place: string; file_name: string; encryption: string; created_at: Date }[];
  commands: { purpose: string; lines: string[] }[];
}

export async function recoveryKit({ database, clock, keyring }: ServiceContext): Promise<RecoveryKit> {
  const destinations = await kitDestinations(database);
  const byId = new Map(destinations.map((row) => [row.id, row]));
  const own = (await kitControlPlanes(database)).map((row) => {
    const { type, settings } = byId.get(row.backup_destination_id)!;
    const { kit } = definitionOf(type);
    return {
      place: kit.describe(settings, row.directory, diskOf(row.server)),
      recoverFrom: shellQuote(kit.address(settings, row.directory)),
      environment: kit.environment(settings, diskOf(row.server)),
      ...row,
    };
  });
  const newest = own.toSorted((a, b) => b.created_at.getTime() - a.created_at.getTime())[0];
  return {
    made_at: clock.now(),
    program: { version: RELEASE, deno: Deno.version.deno, directory: PROJECT },
    database: databaseOf(database),
    secret_key: { place: keyring.location, key_ids: await sealingKeyIds(database) },
    destinations: destinations.map((row) => ({
      id: row.id,
      label: row.label,
      owner: row.owner,
      place: definitionOf(row.type).kit.describe(
        row.settings,
        null,
        row.servers.join(", ") || "each backed-up server",
      ),
      backups_count: row.backups_count,
      newest_backup_at: row.newest_backup_at,
      needs_password: row.password_count > 0,
      recipients: row.recipients,
    })),
    control_plane: own.map(({ place, file_name, encryption, created_at }) => ({
      place,
      file_name,
      encryption,
      created_at,
    })),
    commands: commands(newest?.recoverFrom ?? "PLACE", newest?.environment ?? []),
  };
}

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");

function databaseOf({ options: { host, port, user, database } }: ServiceContext["database"]): string {
  const at = [host].flat().map((each, index) => `${each}:${[port].flat()[index] ?? 5432}`).join(",");
  return `PostgreSQL, database ${database} of user ${user} at ${at}`;
}

function diskOf(server: string | null): string {
  return server ?? "a deleted server";
}

function commands(place: string, environment: readonly string[]): RecoveryKit["commands"] {
  return [
    {
      purpose:
        "A new control plane from its newest backup, with the secret key in SECRET_KEY or SECRET_KEY_FILE; for a backup from " +
        "before `key rotate`, with the key of then (SECRET_KEY_FILE.retired) as well",
      lines: [
        "export DATABASE_URL=postgres://…      # an empty database; or DATA_DIR=… for an embedded one",
        "export SECRET_KEY_FILE=…              # a file that its user alone may read",
        "export ENCRYPTION_PASSWORDS='…'       # of encrypted backups, one a line",
        ...environment,
        `deno task admin recover --from ${place}`,
        "deno task start                        # with the same DATABASE_URL, DATA_DIR and secret key",
      ],
    },
    {
      purpose: "Without such a backup, or without the secret key: from the manifests beside the backups",
      lines: [
        "export DATABASE_URL=postgres://… ENCRYPTION_PASSWORDS='…'",
        "deno task admin recover --from PLACE --from-manifests",
        "deno task start",
      ],
    },
    {
      purpose: 'Without Rearguard: the command for each backup is in its .manifest.json, under "restore"',
      lines: [
        "zstd -dc NAME.tar.zst | tar --extract --record-size=64K --xattrs --xattrs-include='*' --acls \\",
        "  --same-permissions --numeric-owner -C TARGET",
        "zstd -dc NAME.dump.zst | pg_restore --clean --if-exists --dbname=DATABASE",
        "zstd -dc NAME.sql.zst | psql --dbname=DATABASE        # or: mariadb DATABASE",
      ],
    },
    {
      purpose:
        "Encrypted (.age): age in front of it, which asks for the password, or takes a recipient's secret key",
      lines: [
        "age -d NAME.tar.zst.age | zstd -dc | tar …",
        "age -d -i KEY_FILE NAME.tar.zst.age | zstd -dc | tar …",
      ],
    },
    {
      purpose: "Whether an object is whole: its SHA-256 is in the manifest",
      lines: ["sha256sum NAME"],
    },
  ];
}
