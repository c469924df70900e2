/** Whether secret keys fit the database: they open all that is sealed there, and other control planes hold them too. */
import type { Clock } from "../domain/clock.ts";
import type { Database, Sql } from "../store/database.ts";
import { keysOfReplicas, type ReplicaKeys } from "../store/key_rotations.ts";
import { countSealed } from "../store/sealed_columns.ts";

export interface HeldKeys {
  /** The one that seals first. */
  readonly keyIds: readonly string[];
  /** Where a person finds them. */
  readonly place: string;
}

export interface KeyCheck {
  readonly database: Database;
  readonly clock: Clock;
  /** Ids of keys that the operator knows to be lost: what they seal stays closed. */
  readonly lostKeyIds: readonly string[];
}

/** Returns one sentence that names the missing keys; null where every sealed value can be opened. */
export async function missingKeys(
  sql: Sql,
  { keyIds, place }: HeldKeys,
  lostKeyIds: readonly string[],
): Promise<string | null> {
  const known = new Set([...keyIds, ...lostKeyIds]);
  const missing = [...await countSealed(sql)].filter(([id]) => !known.has(id)).sort();
  if (missing.length === 0) return null;
  const sealed = missing.map(([id, count]) => `${id} (${count} ${count === 1 ? "secret" : "secrets"})`);
  return `this database holds secrets that are sealed with ${named("key", missing.length)} ${
    sealed.join(", ")
  }, and ${place} holds ${named("key", keyIds.length)} ${keyIds.join(", ")}. Put the missing ${
    named("key", missing.length)
  } there (several keys are separated by commas), or name the right database. Where a key is lost for good, ` +
    `LOST_SECRET_KEYS=${missing.map(([id]) => id).join()} starts without what it seals`;
}

/**
 * Returns one sentence where a control plane that is up could not open what these keys seal, or seals what they do not open;
 * null where all agree.
 *
 * @param self The id of this control plane, once it is registered: only those that were registered before it count then.
 */
export async function disagreeingReplica(
  { database, clock }: KeyCheck,
  { keyIds }: HeldKeys,
  self: string | null = null,
): Promise<string | null> {
  const all = await keysOfReplicas(database, clock.now());
  const own = all.findIndex(({ id }) => id === self);
  const others = own < 0 ? all : all.slice(0, own);
  const other = others.find(({ key_ids }) => disagree(key_ids, keyIds));
  if (other === undefined) return null;
  return `a control plane that is up since ${moment(other)} seals with key ${other.key_ids[0]} and holds ${
    other.key_ids.join(", ")
  }, this one seals with key ${keyIds[0]} and holds ${
    keyIds.join(", ")
  }. Give all control planes of a database the same keys; where that one was killed just now, start again in 30 seconds`;
}

/** Those of a version without key ids hold none. */
function disagree(others: readonly string[], own: readonly string[]): boolean {
  return others.length > 0 && (!own.includes(others[0]!) || !others.includes(own[0]!));
}

function named(noun: string, count: number): string {
  return count === 1 ? noun : `${noun}s`;
}

function moment({ started_at }: ReplicaKeys): string {
  return `${started_at.toISOString().slice(0, 19)}Z`;
}
