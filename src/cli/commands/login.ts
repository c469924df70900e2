/** `login` and `logout`: store and delete the URL of a control plane and its token. */
import type { Command } from "commander";
import { Api } from "../api.ts";
import { outputOf } from "../command_line.ts";
import { readSecret, type SecretSource } from "../secret_source.ts";
import { controlPlaneUrl, DEFAULT_URL, forgetLogin, storeLogin } from "../stored_login.ts";

export function addLoginCommands(program: Command): void {
  program.command("login")
    .description("Store a control plane's URL and an API token, after checking them")
    .option("--url <url>", `the control plane's URL (default: REARGUARD_URL, or ${DEFAULT_URL})`)
    .option("--token-stdin", "read the token from standard input (default: RG_TOKEN, or a prompt)")
    .action(login);
  program.command("logout")
    .description("Delete the stored token; it stays valid until it is revoked")
    .action(async (_options: unknown, command: Command) => {
      const message = await forgetLogin() ? "Logged out." : "There is no stored login.";
      const output = outputOf(command);
      output.answer({ message }, () => output.terminal.write(`${message}\n`));
    });
}

async function login(options: { url?: string; tokenStdin?: boolean }, command: Command): Promise<void> {
  const output = outputOf(command);
  const url = controlPlaneUrl(options.url ?? (Deno.env.get("REARGUARD_URL") || DEFAULT_URL));
  const token = (await readSecret(tokenSource(options.tokenStdin === true), "The API token")).trim();
  const user = await new Api({ url, token }).get("log in", "/api/user");
  const path = await storeLogin({ url, token });
  output.answer(user, () => {
    output.terminal.print(`Logged in at ${url} as ${user.data.personal_info.email}; stored in ${path}\n`);
  });
  if (url.startsWith("http:") && !isLoopback(new URL(url).hostname)) {
    output.terminal.printError(`Warning: the token is sent to ${url} without encryption`);
  }
}

function tokenSource(isStdin: boolean): SecretSource {
  if (isStdin) return { from: "stdin" };
  return Deno.env.get("RG_TOKEN") ? { from: "env", name: "RG_TOKEN" } : { from: "prompt" };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}
