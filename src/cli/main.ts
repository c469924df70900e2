/** `deno task cli`: the command `rearguard`, which speaks to a control plane through its public API alone. */
import { CommanderError } from "commander";
import { CommandError, EXIT } from "./command_error.ts";
import { rearguard } from "./program.ts";
import { Terminal } from "./terminal.ts";

/** What a shell tells of a program that wrote where nobody reads any more. */
const BROKEN_PIPE = 141;

/** Tells what went wrong, in one line, and returns the exit code. */
function report(error: unknown): number {
  const { message } = error as Error;
  if (error instanceof CommandError) return told(message, error.code);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    if (error.code === "commander.help") return EXIT.usage; // which was shown
    const problem = message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
    return told(`Cannot understand the command: ${problem}; see --help`, EXIT.usage);
  }
  if (error instanceof Deno.errors.BrokenPipe) return BROKEN_PIPE;
  if ((error as Error).name === "ExitPromptError") return EXIT.interrupted;
  return told(`Cannot finish: ${message.replaceAll(/\s*\n\s*/g, " ")}`, EXIT.failed);
}

function told(line: string, code: number): number {
  new Terminal().complain(line);
  return code;
}

let code: number = EXIT.ok;
try {
  await rearguard().parseAsync(Deno.args, { from: "user" });
} catch (error) {
  code = report(error);
}
Deno.exit(code);
