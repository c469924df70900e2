/** Replaces agent/engine/transforms/scrypt.ts: uses a work factor that takes no time. */
export { deriveKey, MAX_WORK_FACTOR, passphraseSalt } from "../../../agent/engine/transforms/scrypt.ts";

export const WORK_FACTOR = 10;
