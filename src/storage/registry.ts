/** The destination types that the control plane reaches itself; the agent reaches the others. */
import type { Network } from "../network/network.ts";
import { Bucket, type BucketOptions } from "./s3.ts";

export const storageTypes = {
  /** Amazon's own, which has no endpoint to choose. */
  s3: (options: BucketOptions, network: Network) => new Bucket({ ...options, endpoint: null }, network),
  custom_s3: (options: BucketOptions, network: Network) => new Bucket(options, network),
};

export type StorageType = keyof typeof storageTypes;

export function isStorageType(type: string): type is StorageType {
  return Object.hasOwn(storageTypes, type);
}
