/**
 * The trees that plans back up. They do not change. Each tree has a description with which a restored tree is
 * compared.
 */
import { shell } from "../support/fixtures/backup_run.ts";
import { describeTree } from "../support/fixtures/tree.ts";
import { type TreeName, TREES } from "./plan.ts";

export interface Tree {
  readonly path: string;
  /**
   * The tree's members as {@link describe} returns them. Sockets are left out, because no archive contains
   * them.
   */
  readonly description: readonly string[];
  /**
   * Lines that the output of a backup must contain exactly once. The time at the beginning of each line is
   * left out.
   */
  readonly knownLines: readonly string[];
}

const SOCKETS = 400;

const SCRIPTS: Record<TreeName, string> = {
  "few files": `mkdir -p a/b; echo hello > a/hello; : > a/empty; ln a/hello a/b/hard; ln -s hello a/link
    head -c 300000 /dev/urandom > a/b/noise; chmod 0400 a/b/noise`,
  "many sockets": "mkdir a; for n in $(seq 50); do echo $n > a/$n; done; mkdir s",
  "large files":
    `head -c 12000000 /dev/urandom > noise; yes 'all work and no play' | head -c 12000000 > text || true
    mkdir many; for n in $(seq 300); do echo $n > many/$n; done`,
};

export async function growTrees(root: string): Promise<Record<TreeName, Tree>> {
  const trees: Partial<Record<TreeName, Tree>> = {};
  for (const name of TREES) {
    const path = `${root}/${name.replace(" ", "-")}`;
    await Deno.mkdir(path, { recursive: true });
    await shell(`cd "$1"; ${SCRIPTS[name]}`, path);
    const sockets = name === "many sockets" ? bind(path) : [];
    trees[name] = {
      path,
      description: await describe(path),
      knownLines: sockets.map((socket) => `Left out: "${socket}": socket ignored`),
    };
  }
  return trees as Record<TreeName, Tree>;
}

export async function describe(path: string): Promise<string[]> {
  return (await describeTree(path)).filter((line) => !/^"[^"]*" s /.test(line));
}

/** Creates sockets in the tree. Returns their names as tar prints them. */
function bind(path: string): string[] {
  return Array.from({ length: SOCKETS }, (_, index) => {
    const listener = Deno.listen({ transport: "unix", path: `${path}/s/new` });
    // Closing a listener removes the file at the path that it was bound to. The socket is renamed first, so
    // it stays.
    Deno.renameSync(`${path}/s/new`, `${path}/s/${index}`);
    listener.close();
    return `./s/${index}`;
  });
}
