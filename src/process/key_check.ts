/**
 * Checks this control plane's secret keys: they must decrypt every encrypted value in the database, and they
 * must agree with the keys of the other control planes.
 */
import type { Clock } from "../domain/clock.ts";
import type { Database, Sql } from "../store/database/sql.ts";
import { keysOfReplicas, type ReplicaKeys } from "../store/installation/key_rotations.ts";
import { countSealed } from "../store/database/sealed_columns.ts";

export interface HeldKeys {
  /** Ids of the keys. The first key encrypts new values. */
  readonly keyIds: readonly string[];
  /** Words that tell an operator where the keys are. */
  readonly location: string;
}

export interface KeyCheck {
  readonly database: Database;
  readonly clock: Clock;
  /** Ids of keys that the operator has declared lost. Values encrypted with these keys stay unreadable. */
  readonly lostKeyIds: readonly string[];
}

/**
 * Returns one sentence that names the missing keys; null if no key is missing. Keys that the operator has
 * declared lost do not count as missing.
 */
export async function missingKeys(
  sql: Sql,
  { keyIds, location: place }: HeldKeys,
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
 * Compares this control plane's keys with those of the other running control planes. Returns null if they
 * agree. Otherwise returns one sentence about a control plane with other keys.
 *
 * Each control plane encrypts new values with one of its keys. Two control planes agree if each has the key
 * with which the other encrypts.
 *
 * @param self The id of this control plane. The keys are then compared only with those of control planes that
 *   were registered before it. Null if it is not registered yet: the keys are then compared with those of all
 *   control planes.
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

/**
 * Returns whether two control planes disagree: one lacks the key with which the other encrypts new values.
 * Returns false if the other control plane reports no key ids, because it is of an old version.
 *
 * @param others The key ids of the other control plane. The first one is the key with which it encrypts.
 * @param own The key ids of this control plane, in the same order.
 */
function disagree(others: readonly string[], own: readonly string[]): boolean {
  return others.length > 0 && (!own.includes(others[0]!) || !others.includes(own[0]!));
}

function named(noun: string, count: number): string {
  return count === 1 ? noun : `${noun}s`;
}

function moment({ started_at }: ReplicaKeys): string {
  return `${started_at.toISOString().slice(0, 19)}Z`;
}
