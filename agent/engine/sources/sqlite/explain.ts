/** Explains to users why a database cannot be read. */
import { formatSeconds } from "../../jobs/progress.ts";
import { findLockHolders } from "./holders.ts";

/**
 * Returns the explanation of an error message of sqlite3.
 *
 * @param waited How long the run waited for locks, in milliseconds.
 */
export async function explain(reason: string, path: string, waited: number): Promise<string> {
  if (/file is not a database|file is encrypted/.test(reason)) {
    return "it is not a SQLite database, or it is encrypted (SQLCipher, SEE), which sqlite3 can't read";
  }
  if (/malformed|database corruption/.test(reason)) return damaged(reason);
  if (/database (?:table )?is locked|busy/.test(reason)) {
    const holders = await findLockHolders([path]);
    const who = holders.length === 0
      ? "a program that has ended since, or is hidden from the agent"
      : holders.join(", ");
    return `it is locked by ${who}; waited ${formatSeconds(Math.ceil(waited / 1000))}`;
  }
  return reason;
}

export function damaged(what: string): string {
  return `it is damaged: ${what}. Repair it, such as with sqlite3's .recover, or restore an earlier backup`;
}
