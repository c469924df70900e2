/**
 * Uses database triggers to record which rows change. So no change is missed, and a change that is rolled
 * back is not recorded.
 */
import type { Database } from "../../../src/store/database/sql.ts";

export interface Change {
  table: string;
  operation: "INSERT" | "UPDATE" | "DELETE";
}

/**
 * Columns that change without a request for a change. For example, a token's row records the token's last
 * use.
 */
const MOVING = ["last_used_at"];
/**
 * Tables that are not watched. `idempotency_keys` stores every response to a request with an
 * `Idempotency-Key`, and `audit_log` also records refusals and reads.
 */
const LEFT_OUT = ["schema_migrations", "idempotency_keys", "audit_log"];

/**
 * Records every change of a row from now on. An update that alters nothing is not recorded. `taken` returns
 * the recorded changes.
 */
export async function watchChanges(database: Database): Promise<{ taken(): Promise<Change[]> }> {
  await database.unsafe(`
    create table watched_changes (id bigint generated always as identity, table_name text, operation text);
    create function watch_change() returns trigger language plpgsql as $$
    begin
      if tg_op <> 'UPDATE' or
        to_jsonb(old) - '{${MOVING}}'::text[] is distinct from to_jsonb(new) - '{${MOVING}}'::text[]
      then
        insert into watched_changes (table_name, operation) values (tg_table_name, tg_op);
      end if;
      return null;
    end $$`);
  const tables = await database<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'watched_changes'`;
  for (const { name } of tables) {
    if (LEFT_OUT.includes(name)) continue;
    await database.unsafe(
      `create trigger watched after insert or update or delete on ${name} for each row execute function watch_change()`,
    );
  }
  return {
    async taken() {
      const rows = await database<{ table: string; operation: Change["operation"]; id: number }[]>`
        delete from watched_changes returning table_name as table, operation, id`;
      return rows.sort((a, b) => a.id - b.id).map(({ table, operation }) => ({ table, operation }));
    },
  };
}
