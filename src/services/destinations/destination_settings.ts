/**
 * Prepares the settings and secrets of destinations for storage. Refuses addresses that the control plane
 * must not connect to.
 */
import type { SettingValue } from "../../definitions/destinations/definition.ts";
import { definitionOf, type DestinationType } from "../../definitions/destinations/registry.ts";
import {
  ALL_FIELDS,
  connectionOf,
  type FieldValues,
  missingFields,
  sentNames,
  storedSecrets,
  storedSettings,
  type TypedSettings,
} from "../../definitions/destinations/settings.ts";
import { fieldWords } from "../../definitions/formats/says.ts";
import { InvalidError } from "../../domain/errors.ts";
import { AddressRefusedError, type Network } from "../../network/network.ts";
import type { Keyring } from "../../secrets/keyring.ts";
import { PrivateKeyError, usablePrivateKey } from "../../secrets/private_key.ts";
import type { BackupDestinationRow } from "../../store/destinations/backup_destinations.ts";

/** Fields of a destination as they are stored. */
export interface StoredFields {
  readonly settings: Readonly<Record<string, SettingValue | null | undefined>>;
  /** Encrypted secrets by field; null clears a secret. */
  readonly secrets: Readonly<Record<string, string | null | undefined>>;
}

/** Returns the given values as they are stored, with the secrets encrypted. */
export async function sealedFields(keyring: Keyring, values: FieldValues): Promise<StoredFields> {
  const settings: Record<string, SettingValue | null> = {};
  const secrets: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(values)) {
    const { isSecret, isTransient, passphraseField } = ALL_FIELDS.get(name)!;
    if (isTransient) continue;
    if (!isSecret) settings[name] = value;
    else if (passphraseField === undefined || value === null) {
      secrets[name] = keyring.encryptOptional(value as string | null);
    } else {
      const key = { name, text: value as string };
      const passphrase = { name: passphraseField, text: values[passphraseField] as string | null ?? null };
      secrets[name] = keyring.encrypt(await usableKey(key, passphrase));
    }
  }
  return { settings, secrets };
}

/** Returns the fields of a destination after a change. */
export function fieldsAfter(
  before: Pick<BackupDestinationRow, "settings" | "secrets">,
  { settings, secrets }: StoredFields,
): StoredFields {
  return { settings: { ...before.settings, ...settings }, secrets: { ...before.secrets, ...secrets } };
}

async function usableKey(
  key: { name: string; text: string },
  passphrase: { name: string; text: string | null },
): Promise<string> {
  try {
    return await usablePrivateKey(key.text, passphrase.text);
  } catch (error) {
    if (!(error instanceof PrivateKeyError)) throw error;
    const { name } = error.isPassphrase ? passphrase : key;
    throw new InvalidError({ [name]: [`The ${fieldWords([name])} ${error.message}`] });
  }
}

/**
 * Throws an {@link InvalidError} for an address that this control plane must not connect to. A host name is
 * not looked up here, because its addresses are checked at each connection.
 *
 * @param changed The fields that the caller sets. Only addresses in these fields are checked.
 */
export function refuseConnection(
  network: Network,
  destination: TypedSettings,
  changed: StoredFields["settings"] = destination.settings,
): void {
  const { fields } = definitionOf(destination.type);
  const connection = connectionOf(destination);
  if (connection === null || changed[connection.field] === undefined) return;
  try {
    network.check(connection.url);
  } catch (error) {
    if (!(error instanceof AddressRefusedError)) throw error;
    const [sentAs] = sentNames(connection.field, fields[connection.field]!);
    throw new InvalidError({ [sentAs!]: [`${error.message}.`] });
  }
}

/**
 * Returns the settings and secrets to store for a destination of `type`. Throws an {@link InvalidError} if
 * required fields are missing.
 */
export function completeFields(type: DestinationType, { settings, secrets }: StoredFields) {
  const isSet = (name: string) => (settings[name] ?? secrets[name] ?? null) !== null;
  const missing = missingFields(type, isSet);
  if (Object.keys(missing).length > 0) throw new InvalidError(missing);
  return { settings: storedSettings(type, settings), secrets: storedSecrets(type, secrets) };
}
