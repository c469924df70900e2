/** Re-encrypts stored secrets with the current key, while they are in use. */
import type { Keyring } from "../../secrets/keyring.ts";
import { transaction } from "../../store/database/database.ts";
import type { Database } from "../../store/database/sql.ts";
import {
  replaceSealed,
  sealedByOthers,
  type SealedColumn,
  sealedColumns,
} from "../../store/database/sealed_columns.ts";

/** Number of values in one transaction. It is small, so that other writers do not wait long for a row. */
const BATCH_SIZE = 100;

/**
 * Re-encrypts every value that is not encrypted with the keyring's first key. Skips a value that changes
 * meanwhile, because the changed value is encrypted with the first key. Can be stopped at any moment and
 * started again. Throws a `SecretError` for a value that no key of the keyring decrypts.
 *
 * @param lostKeyIds Values encrypted with these keys are skipped.
 * @param progress Called after each batch with the number of changed rows.
 */
export async function resealAll(
  database: Database,
  keyring: Keyring,
  lostKeyIds: readonly string[] = [],
  progress: (changed: number) => void = () => {},
): Promise<number> {
  let changed = 0;
  for (const column of await sealedColumns(database)) {
    for (;;) {
      const count = await resealSome(database, keyring, column, lostKeyIds);
      if (count === null) break;
      changed += count;
      progress(changed);
    }
  }
  return changed;
}

/** Re-encrypts one batch of values and returns its result; null if no value is left. */
async function resealSome(
  database: Database,
  keyring: Keyring,
  column: SealedColumn,
  lostKeyIds: readonly string[],
): Promise<number | null> {
  const values = await sealedByOthers(database, column, [keyring.keyIds[0]!, ...lostKeyIds], BATCH_SIZE);
  if (values.length === 0) return null;
  const pairs = values.map((value) => [value, keyring.encrypt(keyring.decrypt(value))] as const);
  return await transaction(database, (sql) => replaceSealed(sql, column, pairs));
}
