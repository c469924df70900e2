/** The `age` program, which takes a passphrase from a terminal only: `script` gives it one. */

export async function ageDecrypt(sealed: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-age-" });
  try {
    await Deno.writeFile(`${directory}/sealed.age`, sealed);
    await ageDecryptFile(`${directory}/sealed.age`, `${directory}/opened`, passphrase);
    return await Deno.readFile(`${directory}/opened`);
  } catch (error) {
    // age makes its output with the first byte.
    if (error instanceof Deno.errors.NotFound) return new Uint8Array(0);
    throw error;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

export async function ageDecryptFile(sealed: string, opened: string, passphrase: string): Promise<void> {
  const env = { OPENED: opened, SEALED: sealed };
  await typePassphrase('age -d -o "$OPENED" "$SEALED"', passphrase, { env });
}

/** As the program seals it under a passphrase, which it asks for twice. */
export async function ageEncrypt(plain: Uint8Array, passphrase: string): Promise<Uint8Array<ArrayBuffer>> {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-age-" });
  try {
    await Deno.writeFile(`${directory}/plain`, plain);
    const env = { SEALED: `${directory}/sealed`, PLAIN: `${directory}/plain` };
    await typePassphrase('age -p -o "$SEALED" "$PLAIN"', `${passphrase}\n${passphrase}`, { env });
    return await Deno.readFile(`${directory}/sealed`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** As the program seals it to recipients (`age1…`). */
export function ageEncryptTo(plain: Uint8Array, recipients: string[]): Promise<Uint8Array<ArrayBuffer>> {
  return age(recipients.flatMap((recipient) => ["--recipient", recipient]), plain);
}

/** @param identity As `age-keygen` writes it. */
export async function ageDecryptWith(sealed: Uint8Array, identity: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await Deno.makeTempFile({ prefix: "rearguard-age-" });
  try {
    await Deno.writeTextFile(file, identity);
    return await age(["--decrypt", "--identity", file], sealed);
  } finally {
    await Deno.remove(file);
  }
}

/** A new secret key, with the comments that the program writes around it, and its public half. */
export async function ageKeygen(): Promise<{ identity: string; recipient: string }> {
  const { stdout } = await new Deno.Command("age-keygen", { stderr: "null" }).output();
  const identity = new TextDecoder().decode(stdout);
  return { identity, recipient: /public key: (\S+)/.exec(identity)![1]! };
}

async function age(args: string[], input: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command("age", { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const [{ success, stdout, stderr }] = await Promise.all([
    child.output(),
    new Response(input.slice()).body!.pipeTo(child.stdin).catch(() => {}),
  ]);
  if (!success) throw new Error(`Cannot run age: ${new TextDecoder().decode(stderr).trim()}`);
  return stdout as Uint8Array<ArrayBuffer>;
}

/** Runs a shell's command line at a terminal, and types the passphrase where it asks for one. */
export async function typePassphrase(
  line: string,
  passphrase: string,
  { env, cwd }: { env: Record<string, string>; cwd?: string },
): Promise<void> {
  const terminal = new Deno.Command("script", {
    args: [
      "--quiet",
      "--return",
      "--echo",
      "never",
      "--command",
      'exec bash -euo pipefail -c "$COMMAND_LINE"',
      "/dev/null",
    ],
    env: { ...env, COMMAND_LINE: line },
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  // Asked for, then typed: what comes before the question is thrown away.
  const screen = terminal.stdout.getReader();
  const keyboard = terminal.stdin.getWriter();
  let shown = "";
  let typed = false;
  for (let read = await screen.read(); !read.done; read = await screen.read()) {
    shown += new TextDecoder().decode(read.value);
    if (!typed && shown.includes("passphrase")) {
      typed = true;
      await keyboard.write(new TextEncoder().encode(`${passphrase}\n`));
    }
  }
  await keyboard.close().catch(() => {});
  const { code } = await terminal.status;
  if (code !== 0) throw new Error(`Cannot run ${line}: the terminal shows ${shown.trim()}`);
}
