/** Reports the state of the secret keys without revealing a key. */
import type { Config } from "../config.ts";
import type { Clock } from "../domain/clock.ts";
import type { Database } from "../store/database/sql.ts";
import { keysOfReplicas, lastKeyRotation, openKeyRotation } from "../store/installation/key_rotations.ts";
import { countSealed } from "../store/database/sealed_columns.ts";
import { keyFileOf, keyId } from "./secret_key_file.ts";

/** Returns the report as lines for a person. */
export async function keyStatus(config: Config, database: Database, clock: Clock): Promise<string[]> {
  const file = keyFileOf(config);
  const held = (config.secretKeys ?? await file.keys()).map(keyId);
  const retired = config.secretKeys === null ? (await file.retired()).map(keyId) : [];
  const counts = await countSealed(database);
  const place = config.secretKeys === null ? file.path : "SECRET_KEY";
  const lines = held.map((id, index) =>
    `${id}  in ${place}, ${index === 0 ? "seals and opens" : "opens"}: ${counts.get(id) ?? 0} values`
  );
  for (const id of retired.filter((id) => !held.includes(id))) {
    lines.push(`${id}  in ${file.path}.retired: ${counts.get(id) ?? 0} values`);
  }
  for (const [id, count] of counts) {
    if (!held.includes(id) && !retired.includes(id)) {
      lines.push(`${id}  MISSING: ${count} values can't be decrypted`);
    }
  }
  const open = await openKeyRotation(database);
  const last = await lastKeyRotation(database);
  if (open !== undefined) {
    lines.push(
      `An unfinished rotation to key ${open.new_key_id} began ${
        moment(open.started_at)
      }: run key rotate to continue it.`,
    );
  } else if (last !== undefined) {
    lines.push(`The last rotation, to key ${last.new_key_id}, was finished ${moment(last.finished_at!)}.`);
  }
  for (const { started_at, key_ids } of await keysOfReplicas(database, clock.now())) {
    lines.push(`The control plane that started ${moment(started_at)} holds ${key_ids.join(", ")}.`);
  }
  return lines;
}

function moment(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
