/** Reminds administrators to keep a copy of the recovery kit, and to renew it when it is out of date. */
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import {
  destinationLabels,
  findRecoveryKitCopy,
  type RecoveryKitCopy,
  storeRecoveryKitCopy,
} from "../../store/installation/recovery_kit_copies.ts";
import type { Caller, ServiceContext } from "../context.ts";

export interface RecoveryKitStatus {
  /** When an administrator last confirmed that a copy is kept; null if nobody has. */
  kept_at: Date | null;
  is_current: boolean;
  /** Facts that the copy lacks, one sentence each. Empty if there is no copy. */
  missing: string[];
}

export async function recoveryKitStatus(services: ServiceContext): Promise<RecoveryKitStatus> {
  const copy = await findRecoveryKitCopy(services.database);
  if (copy === undefined) return { kept_at: null, is_current: false, missing: [] };
  const now = await contents(services, services.database);
  const added = Object.entries(now.destinations).filter(([id]) => !(id in copy.destinations));
  const missing = [
    ...added.map(([, label]) => `The copy does not name the destination “${label}”.`),
    ...now.key_ids.some((id) => !copy.key_ids.includes(id))
      ? ["The secret key has changed since. Keep the new key too."]
      : [],
  ];
  return { kept_at: copy.kept_at, is_current: missing.length === 0, missing };
}

/** Records that an administrator keeps a copy of the recovery kit as it is at this moment. */
export function confirmRecoveryKit(services: ServiceContext, _caller: Caller): Promise<RecoveryKitStatus> {
  return transaction(services.database, async (sql) => {
    const kept_at = services.clock.now();
    await storeRecoveryKitCopy(sql, { kept_at, ...await contents(services, sql) });
    return { kept_at, is_current: true, missing: [] };
  });
}

async function contents({ keyring }: ServiceContext, sql: Sql): Promise<Omit<RecoveryKitCopy, "kept_at">> {
  return { key_ids: keyring.keyIds, destinations: await destinationLabels(sql) };
}
