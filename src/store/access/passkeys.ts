/** Stores passkeys: the public keys with which users log in without a password. */
import type { PageWindow } from "../../domain/page.ts";
import type { Sql } from "../database/sql.ts";
import { type ListOrder, orderBy, type Page } from "../database/page.ts";

export interface PasskeyRow {
  id: number;
  user_id: number;
  name: string;
  credential_id: string;
  public_key: Uint8Array<ArrayBuffer>;
  /** Number of signatures that the authenticator reports to have made; 0 if it does not count them. */
  counter: number;
  transports: string[];
  created_at: Date;
  last_used_at: Date | null;
}

export async function insertPasskey(
  sql: Sql,
  passkey: Omit<PasskeyRow, "id" | "last_used_at">,
): Promise<PasskeyRow> {
  const [row] = await sql<PasskeyRow[]>`insert into passkeys ${sql(passkey)} returning *`;
  return row!;
}

/** Returns every passkey of the user. Returns none if the user is in the trash. */
export async function passkeysOf(sql: Sql, userId: number): Promise<PasskeyRow[]> {
  return await sql<PasskeyRow[]>`
    select * from passkeys where user_id = ${userId}
      and exists (select from users where id = ${userId} and deletes_at is null) order by id`;
}

/**
 * Locks a passkey until the transaction ends, and returns it. `credentialId` is the id that the authenticator
 * gave the passkey. Returns undefined if there is no such passkey, or if its user is in the trash.
 */
export async function lockPasskey(sql: Sql, credentialId: string): Promise<PasskeyRow | undefined> {
  const [row] = await sql<PasskeyRow[]>`
    select p.* from passkeys p join users u on u.id = p.user_id
    where p.credential_id = ${credentialId} and u.deletes_at is null for update`;
  return row;
}

/** Records a use of the passkey. Also stores the number of signatures that its authenticator reports. */
export async function touchPasskey(sql: Sql, id: number, counter: number, now: Date): Promise<void> {
  await sql`update passkeys set counter = ${counter}, last_used_at = ${now} where id = ${id}`;
}

/** Deletes a passkey of the user. Returns false if the user has no such passkey. */
export async function deletePasskey(sql: Sql, userId: number, id: number): Promise<boolean> {
  const { count } = await sql`delete from passkeys where id = ${id} and user_id = ${userId}`;
  return count === 1;
}

export async function listPasskeys(
  sql: Sql,
  userId: number,
  { offset, limit }: PageWindow,
  { sort }: ListOrder,
): Promise<Page<PasskeyRow>> {
  const order = orderBy(sql, sort, { created_at: "created_at", last_used_at: "last_used_at" });
  const rows = await sql<PasskeyRow[]>`
    select * from passkeys where user_id = ${userId} ${order} limit ${limit} offset ${offset}`;
  const [count] = await sql<{ total: number }[]>`
    select count(*) as total from passkeys where user_id = ${userId}`;
  return { rows, total: count!.total };
}
