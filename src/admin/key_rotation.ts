/**
 * Replaces the secret key while control planes are running:
 * 1. All control planes load the new key in addition to the old key.
 * 2. All control planes encrypt with the new key.
 * 3. Every stored value is encrypted again.
 * 4. The old key is retired.
 *
 * If the rotation is interrupted, everything stays readable, and the next call continues the rotation.
 */
import type { Config } from "../config.ts";
import type { Clock } from "../domain/clock.ts";
import { missingKeys } from "../process/key_check.ts";
import { Keyring } from "../process/secret_keys.ts";
import { enterAudit, NO_ORIGIN } from "../services/access/audit_log.ts";
import { resealAll } from "../services/installation/resealing.ts";
import type { Database } from "../store/database/sql.ts";
import {
  deleteKeyRotation,
  finishKeyRotation,
  insertKeyRotation,
  keysOfReplicas,
  lockKeyRotations,
  openKeyRotation,
  type ReplicaKeys,
} from "../store/installation/key_rotations.ts";
import { notify } from "../store/database/event_bus.ts";
import { sealingKeyIds } from "../store/database/sealed_columns.ts";
import { type KeyFile, keyFileOf, keyId, newSecretKey } from "./secret_key_file.ts";

export interface KeyRotation {
  readonly config: Config;
  readonly clock: Clock;
  readonly database: Database;
  /** The operator who requested the rotation, for the audit log. */
  readonly operator: string;
  /** Maximum wait until control planes have read a changed key file, in milliseconds. */
  readonly patience: number;
  print(line: string): void;
}

/**
 * The error for a rotation that cannot be completed. The message says the reason and what to do, in one line.
 */
export class KeyRotationError extends Error {
  override readonly name = "KeyRotationError";
}

/** Resolves when every stored secret is encrypted with the new key. */
export async function rotateKey(rotation: KeyRotation): Promise<void> {
  await using lock = await lockKeyRotations(rotation.database);
  if (lock === null) throw new KeyRotationError("Cannot rotate the key: another rotation is running");
  if (rotation.config.secretKeys !== null) await rotateInEnvironment(rotation, rotation.config.secretKeys);
  else await rotateInFile(rotation, keyFileOf(rotation.config));
}

async function rotateInFile(rotation: KeyRotation, file: KeyFile): Promise<void> {
  const { database, clock, print } = rotation;
  // Check the keys before any change. With the wrong key file, the rotation would add a key but could not
  // open the stored values.
  await requireKeys(rotation, new Keyring(await availableKeys(file), file.path));
  const { id, newKeyId } = await begin(rotation, file);
  await waitForReplicas(rotation, file, "loaded the new key", ({ key_ids }) => key_ids.includes(newKeyId));
  const keys = await file.keys();
  if (keyId(keys[0]!) !== newKeyId) {
    await file.write(keys.toSorted((a, b) => Number(keyId(b) === newKeyId) - Number(keyId(a) === newKeyId)));
    print(`New secrets are sealed with key ${newKeyId}`);
  }
  await waitForReplicas(
    rotation,
    file,
    "begun to encrypt with the new key",
    ({ key_ids }) => key_ids[0] === newKeyId,
  );
  for (;;) {
    await reseal(rotation, new Keyring(await availableKeys(file), file.path));
    await retireOldKeys(rotation, file, newKeyId);
    // Repeat if a value is still encrypted with an old key. A control plane might have encrypted a value
    // before the new key was applied there, and stored this value only after `reseal`.
    if (!await sealedWithOthers(rotation, newKeyId)) break;
    const old = (await file.retired()).filter((key) => keyId(key) !== newKeyId);
    await file.write([...await file.keys(), ...old]);
    await waitForReplicas(
      rotation,
      file,
      "loaded the new key",
      ({ key_ids }) => old.every((key) => key_ids.includes(keyId(key))),
    );
  }
  await finishKeyRotation(database, id, clock.now());
  await recordRotation(rotation, newKeyId);
  print(
    `Every secret is sealed with key ${newKeyId}. Keys that are no longer in use are in ${file.path}.retired: ` +
      "older backups of the control plane need them. Back up the control plane now, and print a new recovery kit.",
  );
}

/** Returns the interrupted rotation. If there is none, begins one: adds a new key to the end of the file. */
async function begin(
  { database, clock, print }: KeyRotation,
  file: KeyFile,
): Promise<{ id: number; newKeyId: string }> {
  const keys = await file.keys();
  const open = await openKeyRotation(database);
  if (open !== undefined) {
    if (keys.some((key) => keyId(key) === open.new_key_id)) {
      print(`Continuing the rotation to key ${open.new_key_id}`);
      return { id: open.id, newKeyId: open.new_key_id };
    }
    if ((await sealingKeyIds(database)).includes(open.new_key_id)) {
      throw new KeyRotationError(
        `Cannot rotate the key: secrets are sealed with key ${open.new_key_id}, which ${file.path} does not hold; put it back`,
      );
    }
    await deleteKeyRotation(database, open.id);
  }
  const key = newSecretKey();
  const { id } = await insertKeyRotation(database, keyId(key), clock.now());
  await file.write([...keys, key]);
  print(`Added key ${keyId(key)} to ${file.path}`);
  return { id, newKeyId: keyId(key) };
}

/**
 * Returns the keys in use and the retired keys. Retired keys are needed because an interrupted rotation might
 * have left values that are encrypted with them.
 */
async function availableKeys(file: KeyFile): Promise<Uint8Array[]> {
  return [...await file.keys(), ...await file.retired()];
}

async function reseal(rotation: KeyRotation, keyring: Keyring): Promise<void> {
  await requireKeys(rotation, keyring);
  const changed = await resealAll(rotation.database, keyring, rotation.config.lostKeyIds);
  if (changed > 0) rotation.print(`Sealed ${changed} values anew`);
}

async function requireKeys({ config, database }: KeyRotation, keyring: Keyring): Promise<void> {
  const problem = await missingKeys(database, keyring, config.lostKeyIds);
  if (problem !== null) throw new KeyRotationError(`Cannot rotate the key: ${problem}`);
}

/** Moves every key except the new one from the file to the retired keys. */
async function retireOldKeys(rotation: KeyRotation, file: KeyFile, newKeyId: string): Promise<void> {
  const keys = await file.keys();
  const old = keys.filter((key) => keyId(key) !== newKeyId);
  if (old.length === 0) return;
  await file.retire(old);
  await file.write(keys.filter((key) => keyId(key) === newKeyId));
  // During the last steps, control planes might have stored values with an old key. Encrypts these
  // values again with the new key. A control plane keeps an old key while a stored value needs that key.
  const resealStrays = async () => {
    if (!await sealedWithOthers(rotation, newKeyId)) return;
    await reseal(rotation, new Keyring(await availableKeys(file), file.path));
    await notify(rotation.database, { topic: "keys_changed" });
  };
  const hasLetGo = ({ key_ids }: ReplicaKeys) => key_ids.join() === newKeyId;
  await waitForReplicas(rotation, file, "dropped the old key", hasLetGo, resealStrays);
}

async function sealedWithOthers({ config, database }: KeyRotation, keyId: string): Promise<boolean> {
  return (await sealingKeyIds(database)).some((each) => each !== keyId && !config.lostKeyIds.includes(each));
}

/**
 * Encrypts every value again with the new key. Used if the keys come from the environment. The operator must
 * add the new key before the rotation, and remove the old key after it. Throws if a control plane does not
 * use the new key yet.
 */
async function rotateInEnvironment(rotation: KeyRotation, keys: readonly Uint8Array[]): Promise<void> {
  const { database, clock, print } = rotation;
  const newKeyId = keyId(keys[0]!);
  const keyring = new Keyring(keys);
  await requireKeys(rotation, keyring);
  const used = await sealingKeyIds(database);
  if (keys.length === 1 && used.every((id) => id === newKeyId)) {
    throw new KeyRotationError(
      "Cannot rotate the key: SECRET_KEY contains only one key. Append a new one (openssl rand -base64 32) after a comma on " +
        "every control plane and restart them one by one. Then move the new key to the front in the same way, and run this again " +
        "with that SECRET_KEY. With SECRET_KEY_FILE instead, all of this is automatic.",
    );
  }
  const replicas = await keysOfReplicas(database, clock.now());
  const behind = replicas.filter(({ key_ids }) => key_ids[0] !== newKeyId);
  if (behind.length > 0) {
    throw new KeyRotationError(
      `Cannot rotate the key: not every control plane encrypts with key ${newKeyId}: ${named(behind)}. ` +
        "Set this SECRET_KEY there and restart them",
    );
  }
  await reseal(rotation, keyring);
  await recordRotation(rotation, newKeyId);
  print(
    `Every secret is sealed with key ${newKeyId}. Remove the others from SECRET_KEY, and keep them as long as you keep older backups ` +
      "of the control plane.",
  );
}

/** The interval at which replicas are checked, in milliseconds. */
const POLL_INTERVAL = 100;

/** Waits until every live control plane meets the condition. Throws if it takes longer than `patience`. */
async function waitForReplicas(
  { database, clock, patience }: KeyRotation,
  file: KeyFile,
  what: string,
  does: (replica: ReplicaKeys) => boolean,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await notify(database, { topic: "keys_changed" });
  const until = clock.monotonic() + patience;
  for (;;) {
    const behind = (await keysOfReplicas(database, clock.now())).filter((replica) => !does(replica));
    if (behind.length === 0) return;
    if (clock.monotonic() >= until) {
      throw new KeyRotationError(
        `Cannot continue the rotation: not every control plane has ${what}: ${named(behind)}. ` +
          `Copy ${file.path} as it is now to their machines and run this again: the rotation continues.`,
      );
    }
    await meanwhile();
    await clock.sleep(POLL_INTERVAL);
  }
}

function named(replicas: readonly ReplicaKeys[]): string {
  const each = replicas.map(({ started_at, key_ids }) =>
    `one started ${started_at.toISOString().slice(0, 19)}Z with key ${key_ids.join(", ") || "unknown"}`
  );
  return `${replicas.length} control plane${replicas.length === 1 ? "" : "s"} (${each.join("; ")})`;
}

async function recordRotation({ database, clock, operator }: KeyRotation, newKeyId: string): Promise<void> {
  await enterAudit({ database, clock }, {
    actor: { type: "command", name: operator },
    action: "rotateKey",
    resource: "secret-key",
    reason: `To key ${newKeyId}.`,
    result: "done",
    origin: NO_ORIGIN,
  });
}
