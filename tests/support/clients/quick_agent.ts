/**
 * Lowers the work factor for passwords. With the real work factor, deriving a key occupies a processor for a
 * second. A run of the test suite derives hundreds of keys. Only tests of the work factor itself use the real
 * one.
 */
import { fileURLToPath } from "node:url";

const root = new URL("../../../", import.meta.url);
const scrypt = new URL("agent/engine/transforms/scrypt.ts", root).href;
const quick = new URL("tests/support/clients/quick_scrypt.ts", root).href;

/** The import map of deno.json as a URL, with quick_scrypt.ts in place of scrypt.ts. */
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
