/** Replaces agent/engine/transforms/scrypt.ts with a work factor at which deriving a key takes no time. */
export { deriveKey, MAX_WORK_FACTOR, passphraseSalt } from "../../../agent/engine/transforms/scrypt.ts";

export const WORK_FACTOR = 10;
