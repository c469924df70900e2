/**
 * Lowers the agent's work factor for passwords. With the real work factor, deriving one key occupies a
 * processor for a second, and a run of the test suite derives hundreds of keys. Only the tests of the work
 * factor itself use the real work factor.
 */
import { fileURLToPath } from "node:url";

const root = new URL("../../../", import.meta.url);
const scrypt = new URL("agent/engine/transforms/scrypt.ts", root).href;
const quick = new URL("tests/support/clients/quick_scrypt.ts", root).href;

/** The import map of deno.json as a URL. The map replaces scrypt.ts with quick_scrypt.ts. */
export const QUICK_IMPORTS = importMap();

/** The arguments of `deno run` for the real agent with the low work factor. */
export const QUICK_AGENT = [
  "--allow-all",
  `--import-map=${QUICK_IMPORTS}`,
  fileURLToPath(new URL("agent/main.ts", root)),
];

function importMap(): string {
  const { imports } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", root)));
  const map = { imports: { ...imports, [scrypt]: quick }, scopes: { [quick]: { [scrypt]: scrypt } } };
  return `data:application/json,${encodeURIComponent(JSON.stringify(map))}`;
}
