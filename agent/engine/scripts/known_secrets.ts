/** Masks the secrets that the agent knows in the output of scripts. */
import type { BackupJob } from "../../../src/protocol/job.ts";
import { printable } from "../programs/line.ts";

const MASK = "***";
/**
 * Minimum length of a secret that is masked, in characters. Shorter secrets are not masked, because they also
 * occur in ordinary words.
 */
const MIN_LENGTH = 4;
/** Matches the name of a field of a job if the field's value is a secret. */
const SECRET_NAME = /(^|_)(password|passphrase|secret|token|private_key|secret_key|access_key)$/;
/** Marks the end of a line of output if the line was too long and was cut off. */
const CUT = " … (cut)";

export function secretsOf(job: BackupJob): string[] {
  return [job.source, job.destination, job.encryption ?? {}, { password: job.encryption_password }]
    .flatMap((part) => Object.entries(part))
    .flatMap(([name, value]) => SECRET_NAME.test(name) && typeof value === "string" ? [value] : []);
}

/** Returns the secrets that occur in a text. A secret of several lines counts as several secrets. */
export function secretsIn(text: string, secrets: readonly string[]): string[] {
  return linesOf(secrets).filter((secret) => text.includes(secret));
}

/**
 * Returns a function that masks secrets in a line of output. If a secret has several lines, the function
 * masks each of the secret's lines.
 */
export function maskSecrets(secrets: readonly string[]): (line: string) => string {
  const encoder = new TextEncoder();
  const forms = new Set(linesOf(secrets).flatMap((line) => [line, printable(encoder.encode(line))]));
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (line) => {
    const masked = longestFirst.reduce((text, secret) => text.replaceAll(secret, MASK), line);
    return masked.endsWith(CUT) ? maskCut(masked.slice(0, -CUT.length), longestFirst) + CUT : masked;
  };
}

/**
 * Masks the start of a secret at the end of a line that was cut off. The rest of the secret might have been
 * cut off.
 */
function maskCut(line: string, secrets: readonly string[]): string {
  for (const secret of secrets) {
    for (let length = secret.length - 1; length > 0; length--) {
      if (line.endsWith(secret.slice(0, length))) return line.slice(0, -length) + MASK;
    }
  }
  return line;
}

function linesOf(secrets: readonly string[]): string[] {
  return secrets.flatMap((secret) => secret.split(/\r?\n/)).map((line) => line.trim())
    .filter((line) => line.length >= MIN_LENGTH);
}
