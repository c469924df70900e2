/** Returns the names of the Debian packages that contain the missing programs. */
export async function missingPrograms(names: readonly string[]): Promise<string[]> {
  const packages: Record<string, string> = { pzstd: "zstd" };
  const missing = new Set<string>();
  for (const name of names) {
    const { success } = await new Deno.Command("sh", {
      args: ["-c", 'command -v "$0"', name],
      stdout: "null",
    }).output();
    if (!success) missing.add(packages[name] ?? name);
  }
  return [...missing];
}
