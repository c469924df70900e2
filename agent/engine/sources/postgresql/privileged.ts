/**
 * Finds objects that contain no rows and that only a superuser is allowed to create. If a drill's login is
 * not a superuser, the drill leaves these objects out and reports them. So a drill's login needs only the
 * privilege CREATEDB.
 */
import type { DatabaseContents } from "../database/row_counts.ts";
import type { PostgresqlFresh } from "./fresh.ts";

const KINDS = ["event trigger", "publication", "publication namespace", "publication relation"];
const STATEMENT = /^(?:CREATE|ALTER|COMMENT ON) (?:EVENT TRIGGER|PUBLICATION|SUBSCRIPTION) /;
const COMMENT = /^on (?:event trigger|publication|subscription) /;

export interface Privileged {
  /** Names of the backed-up database's extensions that the login is not allowed to create. */
  readonly extensions: readonly string[];
}

export async function findPrivileged(
  server: PostgresqlFresh,
  contents: DatabaseContents | null,
): Promise<Privileged> {
  const present = contents?.objects?.extension ?? [];
  if (present.length === 0) return { extensions: [] };
  // PostgreSQL 13 added the column `trusted`. Older servers lack it, so the query reads it through JSON.
  const rows = await server.query<{ name: string }>(
    `select v.name from pg_catalog.pg_available_extension_versions v
     group by v.name having bool_and(v.superuser and not coalesce((to_jsonb(v) ->> 'trusted')::boolean, false))
     order by v.name`,
  );
  return { extensions: rows.map(({ name }) => name).filter((name) => present.includes(name)) };
}

/**
 * Returns a function that tells whether a statement creates an object that only a superuser is allowed to
 * create. The function takes the statement's first line.
 */
export function privilegedStatement({ extensions }: Privileged): (statement: string) => boolean {
  const names = extensions.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  const ofExtension = new RegExp(
    `^(?:CREATE EXTENSION IF NOT EXISTS|COMMENT ON EXTENSION) "?(?:${names})"?[ ;]`,
  );
  return (statement) => STATEMENT.test(statement) || (extensions.length > 0 && ofExtension.test(statement));
}

/**
 * Adds the objects that a drill did not restore to `found`, the contents that the drill found. So the drill
 * reports these objects as not compared, and not as lost.
 */
export function withPrivileged(
  found: DatabaseContents,
  expected: DatabaseContents | null,
  { extensions }: Privileged,
): DatabaseContents {
  const present = KINDS.filter((kind) => expected?.objects?.[kind] !== undefined);
  const comments = (expected?.objects?.comment ?? []).filter((comment) =>
    COMMENT.test(comment) || extensions.some((name) => comment === `on extension ${name}`)
  );
  return {
    ...found,
    objects: {
      ...found.objects,
      extension: [...found.objects?.extension ?? [], ...extensions],
      comment: [...found.objects?.comment ?? [], ...comments],
    },
    not_compared: [
      ...found.not_compared ?? [],
      ...present,
      ...extensions.map((name) => `extension ${name}, which only a superuser may create`),
    ],
  };
}
