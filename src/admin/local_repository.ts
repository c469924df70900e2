/** A directory on this machine, as a repository for `recover`. */
import type { BackupRepository } from "./backup_repository.ts";

export function openLocalRepository(root: string): BackupRepository {
  return {
    description: root,
    destination: { label: "Recovered", type: "local", values: { local_path: root } },
    paths: (skip) => filesBelow(root, "", skip),
    read: async (path) => (await Deno.open(`${root}/${path}`)).readable,
    directory: (path) => path === "" ? root : `${root}/${path}`,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Yields the files below a directory, without following symbolic links. */
async function* filesBelow(
  root: string,
  directory: string,
  skip: (path: string, reason: string) => void,
): AsyncGenerator<string> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(`${root}/${directory}`));
  } catch (error) {
    if (directory === "" || !(error instanceof Deno.errors.PermissionDenied)) throw error;
    return skip(directory, "the user may not read it");
  }
  for (const { name, isDirectory, isFile } of entries) {
    const path = directory === "" ? name : `${directory}/${name}`;
    if (isDirectory) yield* filesBelow(root, path, skip);
    else if (isFile) yield path;
  }
}
