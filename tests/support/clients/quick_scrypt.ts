/**
 * Takes the place of agent/engine/transforms/scrypt.ts, with a low work factor, so that deriving a key takes
 * almost no time.
 */
export { deriveKey, MAX_WORK_FACTOR, passphraseSalt } from "../../../agent/engine/transforms/scrypt.ts";

export const WORK_FACTOR = 10;
