/** A small file system of its own, to be filled. Needs root. */
export async function mountTmpfs(path: string, bytes: number): Promise<AsyncDisposable> {
  await Deno.mkdir(path, { recursive: true });
  await run("mount", "-t", "tmpfs", "-o", `size=${bytes},mode=0777`, "none", path);
  return { [Symbol.asyncDispose]: () => run("umount", path) };
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot run ${program}: ${new TextDecoder().decode(stderr).trim()}`);
}
