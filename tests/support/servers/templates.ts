/** Data directories of new database servers. Each is created once for a test run, and then copied. */
import { createHash } from "node:crypto";
import { exists } from "../programs.ts";

export interface Template {
  /** Everything on which the result of `create` depends, such as the program's version. */
  readonly key: readonly string[];
  /** Creates a data directory at the path. */
  create(path: string): Promise<unknown>;
  /** The user who runs the server; null if the user who runs the tests also runs the server. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

/**
 * Copies a template to `path`, and creates the template first if it does not exist. The test runner sets the
 * directory of the templates. If the directory is not set, `create` makes the data directory at `path`
 * directly.
 */
export async function copyTemplate(path: string, { key, create, owner }: Template): Promise<void> {
  const parent = Deno.env.get("TEST_TEMPLATES");
  if (parent === undefined) return void await create(path);
  const template = `${parent}/${createHash("sha256").update(JSON.stringify(key)).digest("hex")}`;
  if (!await exists(template)) {
    const partial = await Deno.makeTempDir({ dir: parent });
    if (owner !== null) await Deno.chown(partial, owner.uid, owner.gid);
    await create(`${partial}/data`);
    try {
      await Deno.rename(`${partial}/data`, template);
    } catch (error) {
      if (!await exists(template)) throw error; // another test was faster
    }
    await Deno.remove(partial, { recursive: true });
  }
  const { success, stderr } = await new Deno.Command("cp", { args: ["-a", template, path], stdin: "null" })
    .output();
  if (!success) throw new Error(`Cannot copy the data directory: ${new TextDecoder().decode(stderr)}`);
}
