/** The control plane's own SSH key. */
import type { Sql } from "../database/sql.ts";

export interface SshKeyRow {
  public_key: string;
  private_key_encrypted: string;
}

export async function findSshKey(sql: Sql): Promise<SshKeyRow | undefined> {
  const [row] = await sql<SshKeyRow[]>`select public_key, private_key_encrypted from ssh_key`;
  return row;
}

/** Stores the key pair. Does nothing if a key pair is already stored. */
export async function insertSshKey(sql: Sql, key: SshKeyRow, now: Date): Promise<void> {
  await sql`insert into ssh_key ${sql({ id: 1, ...key, created_at: now })} on conflict do nothing`;
}
