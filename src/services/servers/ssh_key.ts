/** The control plane's own SSH key, whose public half is installed on remote servers. */
import { generateSshKey } from "../../secrets/ssh_key.ts";
import { transaction } from "../../store/database/database.ts";
import { findSshKey, insertSshKey } from "../../store/agents/ssh_key.ts";
import type { ServiceContext } from "../context.ts";

/** Returns the public key as a line for `authorized_keys`. Generates the key pair on the first call. */
export async function showPublicKey(services: ServiceContext): Promise<string> {
  const known = await findSshKey(services.database);
  if (known !== undefined) return known.public_key;
  return await transaction(services.database, async (sql) => {
    const { publicKey, privateKey } = generateSshKey("rearguard");
    const row = { public_key: publicKey, private_key_encrypted: services.keyring.encrypt(privateKey) };
    await insertSshKey(sql, row, services.clock.now());
    return (await findSshKey(sql))!.public_key;
  });
}
