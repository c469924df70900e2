/** Runs a program at a terminal, and types what a person would type. */

/**
 * Runs the command, and types each answer when the screen shows the question that belongs to it. The returned
 * `screen` is everything that was shown.
 */
export async function atTerminal(
  command: readonly string[],
  answers: readonly (readonly [question: string, answer: string])[],
  env: Record<string, string>,
  cwd?: string,
): Promise<{ code: number; screen: string }> {
  const line = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const terminal = new Deno.Command("script", {
    args: ["--quiet", "--return", "--echo", "never", "--command", 'exec sh -c "$LINE"', "/dev/null"],
    clearEnv: true,
    env: { ...env, TERM: "xterm", LINE: `stty cols 100; exec ${line}` },
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const keyboard = terminal.stdin.getWriter();
  let screen = "";
  const left = [...answers];
  for await (const text of terminal.stdout.pipeThrough(new TextDecoderStream())) {
    screen += text;
    if (left.length === 0 || !screen.includes(left[0]![0])) continue;
    await keyboard.write(new TextEncoder().encode(`${left.shift()![1]}\r`));
  }
  await keyboard.close().catch(() => {});
  return { code: (await terminal.status).code, screen };
}
