/** Tests admin commands when no database is configured. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { rightsOf } from "../support/assertions/rights.ts";
import { exists } from "../support/programs.ts";

const ADMIN = fileURLToPath(new URL("../../src/admin/main.ts", import.meta.url));
/** The data directory that root gets by default. */
const DEFAULT = "/var/lib/rearguard";

async function admin(args: string[], cwd: string, env: Record<string, string> = {}) {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...rightsOf("admin"), ADMIN, ...args],
    cwd,
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "", HOME: Deno.env.get("HOME") ?? "", ...env },
    stdin: "null",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("without DATABASE_URL and DATA_DIR no admin command makes a database unasked", async () => {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-admin-" });
  try {
    await Deno.mkdir(`${directory}/backups`);
    const isUsed = Deno.uid() === 0 && await exists(`${DEFAULT}/postgres`);
    if (!isUsed) {
      const { code, stderr } = await admin(["recover", "--from", `${directory}/backups`], directory);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^Cannot recover: DATABASE_URL is not set, and \S+ holds no database\. Set DATABASE_URL/,
      );
    }
    const data = `${directory}/data`;
    for (const command of [["key", "status"], ["key", "rotate"], ["token"]]) {
      const { code, stderr } = await admin(command, directory, { DATA_DIR: data });
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^Cannot use the database: DATABASE_URL is not set, and \S+ holds no embedded database/,
      );
    }
    assert.equal(await exists(data), false);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
