/** Defines why a command fails, and its exit code for scripts. */

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
  0  done
  1  what was asked for failed: a run that failed or was cancelled, a check that found a fault
  2  the command was used wrongly
  3  the control plane can't be reached, or can't answer now
  4  refused: no token, or one that may not do this
  5  there is no such thing
  6  not now: it conflicts with how things stand
  7  the control plane found fields that are not valid`;

/** An error with a one-line message: `Cannot <do what>: <what is wrong>`. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  constructor(readonly code: ExitCode, message: string, options?: ErrorOptions) {
    super(message.replaceAll(/\s*\n\s*/g, " "), options);
  }
}
