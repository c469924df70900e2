/** Defines what commands share: their context, and parsers for arguments. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { Api, type PageChoice } from "./api.ts";
import { CommandError, EXIT } from "./command_error.ts";
import { Output } from "./output.ts";
import { parseSecretSource, type SecretSource, SOURCE_HELP } from "./secret_source.ts";
import { currentConnection } from "./stored_login.ts";
import { Terminal } from "./terminal.ts";

export interface Cli {
  readonly api: Api;
  readonly output: Output;
  readonly terminal: Terminal;
}

export function outputOf(command: Command): Output {
  return new Output(command.optsWithGlobals().json === true, new Terminal());
}

/**
 * Turns an action that calls the API into an action for commander:
 * `command.action(calling((cli, id, options) => …))`.
 */
export function calling<Args extends unknown[]>(
  action: (cli: Cli, ...args: Args) => Promise<void>,
): (...args: [...Args, Command]) => Promise<void> {
  return async (...all) => {
    const output = outputOf(all.at(-1) as Command);
    const api = new Api(
      await currentConnection(),
      (warning) => output.terminal.printError(`Warning: ${warning}`),
    );
    await action({ api, output, terminal: output.terminal }, ...all.slice(0, -1) as Args);
  };
}

export function parseId(text: string): number {
  return parseNumber(text, "It must be the number of a record.");
}

export function parseCount(text: string): number {
  return parseNumber(text, "It must be a whole number above 0.");
}

function parseNumber(text: string, problem: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError(problem);
  return Number(text);
}

export function parseSource(text: string): SecretSource {
  const source = parseSecretSource(text);
  // This message does not repeat the argument: an invalid argument might be the secret itself.
  if (source === null) {
    throw new CommandError(EXIT.usage, `Cannot find the secret: specify ${SOURCE_HELP}`);
  }
  return source;
}

export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

export function addPages(command: Command): Command {
  return command
    .addOption(new Option("--page <number>", "show only this page; default: all").argParser(parseCount))
    .addOption(new Option("--per-page <count>", "items per page").argParser(parseCount));
}

export function pageChoice({ page, perPage }: PageChoice): PageChoice {
  return { page, perPage };
}
