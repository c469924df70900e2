/** Starts the real agent with a low work factor for passwords, for tests with many passwords. */
import { fileURLToPath } from "node:url";
import type { AgentOptions } from "../servers/control_plane.ts";

const root = new URL("../../../", import.meta.url);
const scrypt = new URL("agent/engine/transforms/scrypt.ts", root).href;
const quick = new URL("tests/support/clients/quick_scrypt.ts", root).href;

/**
 * Returns the options for an agent with a low work factor. With the normal work factor, deriving a key takes
 * one second of processor time. `stack` removes the temporary import map.
 */
export async function quickSealingAgent(stack: AsyncDisposableStack): Promise<AgentOptions> {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const map = { imports: { ...imports, [scrypt]: quick }, scopes: { [quick]: { [scrypt]: scrypt } } };
  const path = await Deno.makeTempFile({ prefix: "rearguard-imports-", suffix: ".json" });
  stack.defer(() => Deno.remove(path));
  await Deno.writeTextFile(path, JSON.stringify(map));
  const program = fileURLToPath(new URL("agent/main.ts", root));
  return { program: ["--allow-all", `--import-map=${path}`, program], logLevel: "debug" };
}
