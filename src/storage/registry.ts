/**
 * Opens the destination types that the control plane itself can reach. The other types can be reached only by
 * agents.
 */
import type { Secrets } from "../definitions/destinations/definition.ts";
import type { DestinationType } from "../definitions/destinations/registry.ts";
import type { TypedSettings } from "../definitions/destinations/settings.ts";
import type { Network } from "../network/network.ts";
import type { Bucket } from "./s3.ts";
import { openAmazonS3, openCustomS3 } from "./s3_storage.ts";

const storageTypes = { s3: openAmazonS3, custom_s3: openCustomS3 };

export type StorageType = keyof typeof storageTypes;

export function isStorageType(type: DestinationType): type is StorageType {
  return Object.hasOwn(storageTypes, type);
}

/**
 * Opens a destination's storage. Does not connect yet.
 *
 * @param secrets The destination's secrets, decrypted.
 */
export function openStorage(
  { type, settings }: TypedSettings & { readonly type: StorageType },
  secrets: Secrets,
  network: Network,
): Bucket {
  const open = storageTypes[type] as (settings: unknown, secrets: unknown, network: Network) => Bucket;
  return open(settings, secrets, network);
}
