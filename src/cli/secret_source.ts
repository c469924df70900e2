/** Reads secrets. A secret is never an argument, because every process of a machine can read arguments. */
import passwordPrompt from "@inquirer/password";
import process from "node:process";
import { CommandError, EXIT } from "./command_error.ts";
import { resolveFromCaller } from "./working_directory.ts";

export const SOURCE_HELP = "prompt, stdin, env:NAME or file:PATH";

export type SecretSource =
  | { readonly from: "prompt" }
  | { readonly from: "stdin" }
  | { readonly from: "env"; readonly name: string }
  | { readonly from: "file"; readonly path: string };

/** Parses `prompt`, `stdin`, `env:NAME` or `file:PATH`. Returns null for any other text. */
export function parseSecretSource(text: string): SecretSource | null {
  if (text === "prompt" || text === "stdin") return { from: text };
  const [, from, rest] = /^(env|file):(.+)$/s.exec(text) ?? [];
  if (from === "env") return { from, name: rest! };
  if (from === "file") return { from, path: rest! };
  return null;
}

/**
 * Reads a secret. The secret must not be empty.
 *
 * @param what The secret's name in messages, such as `The token`.
 * @param twice Whether a prompt asks for the secret twice, to detect typing errors.
 */
export async function readSecret(source: SecretSource, what: string, twice = false): Promise<string> {
  const secret = await readFrom(source, what, twice);
  if (secret === "") throw new CommandError(EXIT.usage, `Cannot continue: ${lower(what)} is empty`);
  return secret;
}

async function readFrom(source: SecretSource, what: string, twice: boolean): Promise<string> {
  switch (source.from) {
    case "prompt":
      return await ask(what, twice);
    case "stdin":
      return withoutLineBreak(await readStandardInput());
    case "env": {
      const value = Deno.env.get(source.name);
      if (value === undefined) {
        throw new CommandError(EXIT.usage, `Cannot read ${lower(what)}: ${source.name} is not set`);
      }
      return value;
    }
    case "file":
      return withoutLineBreak(await readFile(source.path, lower(what)));
  }
}

async function ask(what: string, twice: boolean): Promise<string> {
  if (!Deno.stdin.isTerminal()) {
    throw new CommandError(EXIT.usage, `Cannot prompt for ${lower(what)}: standard input is not a terminal`);
  }
  // Prompts on standard error, because standard output is for the result only.
  const context = { output: process.stderr };
  const first = await passwordPrompt({ message: `${what}:`, toggleMask: false }, context);
  if (!twice) return first;
  const again = await passwordPrompt({ message: `${what}, again:`, toggleMask: false }, context);
  if (first !== again) throw new CommandError(EXIT.usage, `Cannot continue: the two inputs differ`);
  return first;
}

export async function readStandardInput(): Promise<string> {
  return await new Response(Deno.stdin.readable).text();
}

/**
 * Returns the text of a file.
 *
 * @param what The file's description in `Cannot read <what>: …`.
 */
export async function readFile(path: string, what: string): Promise<string> {
  try {
    return await Deno.readTextFile(resolveFromCaller(path));
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound ? "does not exist" : "can't be read";
    throw new CommandError(EXIT.usage, `Cannot read ${what}: ${path} ${reason}`, { cause });
  }
}

function withoutLineBreak(text: string): string {
  return text.replace(/\r?\n$/, "");
}

function lower(what: string): string {
  return what.charAt(0).toLowerCase() + what.slice(1);
}
