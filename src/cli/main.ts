/** `deno task cli`: the command `rearguard`, which uses only a control plane's public API. */
import { CommanderError } from "commander";
import { CommandError, EXIT } from "./command_error.ts";
import { rearguard } from "./program.ts";
import { Terminal } from "./terminal.ts";

/** The exit code that a shell reports for a program that was ended by SIGPIPE. */
const BROKEN_PIPE = 141;

/** Prints the error in one line and returns the exit code. */
function report(error: unknown): number {
  const { message } = error as Error;
  if (error instanceof CommandError) return printFailure(message, error.code);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    if (error.code === "commander.help") return EXIT.usage; // the help was printed
    const problem = message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
    return printFailure(`Cannot understand the command: ${problem}; see --help`, EXIT.usage);
  }
  if (error instanceof Deno.errors.BrokenPipe) return BROKEN_PIPE;
  if ((error as Error).name === "ExitPromptError") return EXIT.interrupted;
  return printFailure(`Cannot finish: ${message.replaceAll(/\s*\n\s*/g, " ")}`, EXIT.failed);
}

function printFailure(line: string, code: number): number {
  new Terminal().printError(line);
  return code;
}

let code: number = EXIT.ok;
try {
  await rearguard().parseAsync(Deno.args, { from: "user" });
} catch (error) {
  code = report(error);
}
Deno.exit(code);
