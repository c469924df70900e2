/** Defines the error of a failed command, and the exit codes for scripts. */

/** Exit codes; `--help` and docs/guide/cli.md list them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  refused: 4,
  notFound: 5,
  conflict: 6,
  invalid: 7,
  interrupted: 130,
} as const;
export type ExitCode = typeof EXIT[keyof typeof EXIT];

export const EXIT_HELP = `
Exit codes:
  0  success
  1  the operation failed: the run failed or was cancelled, or a check found a fault
  2  invalid usage of the command
  3  the control plane can't be reached, or is not available now
  4  refused: there is no token, or it lacks the ability
  5  the record does not exist
  6  the current state does not allow it
  7  the control plane rejected invalid fields`;

/** An error with a one-line message: `Cannot <do what>: <what is wrong>`. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  constructor(readonly code: ExitCode, message: string, options?: ErrorOptions) {
    super(message.replaceAll(/\s*\n\s*/g, " "), options);
  }
}
