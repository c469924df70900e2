/** Finds the known name that is probably meant by a misspelt name. */

/** Maps words to their synonyms. Before names are compared, each word here is replaced by its synonym. */
const SYNONYMS: Readonly<Record<string, string>> = {
  db: "database",
  dest: "destination",
  max: "maximum",
  min: "minimum",
  pass: "password",
  passphrase: "password",
  passwd: "password",
  pw: "password",
  pwd: "password",
  tz: "timezone",
  user: "username",
};

/** In a name, one spelling error is tolerated for every `LETTERS_PER_ERROR` characters. */
const LETTERS_PER_ERROR = 5;

/**
 * Returns the known name that `name` resembles most; null if none is similar. `name` might be in another
 * notation (`encryptionPassword`), be misspelt (`encryption_pasword`) or lack some words (`cron_expression`).
 */
export function nearestName(name: string, known: readonly string[]): string | null {
  const given = normalised(name);
  let best: string | null = null;
  let least = Infinity;
  for (const each of known) {
    const candidate = normalised(each);
    const distance = isShortFor(given, candidate)
      ? 1
      : editDistance(given, candidate, allowed(given, candidate));
    if (distance >= least) continue;
    best = each;
    least = distance;
  }
  return best;
}

/**
 * Returns a form of the name that ignores notation and synonyms. `encryptionPassphrase`,
 * `encryption-passphrase` and `encryption_password` have the same form.
 */
function normalised(name: string): string {
  return name.slice(0, 100).replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase().split(/[^a-z0-9]+/)
    .filter((word) => word !== "").map((word) => SYNONYMS[word] ?? word).join("_");
}

/** Returns whether `given` has two words or more and `candidate` contains all of them. */
function isShortFor(given: string, candidate: string): boolean {
  const words = given.split("_");
  const all = candidate.split("_");
  return words.length > 1 && words.every((word) => all.includes(word));
}

function allowed(given: string, candidate: string): number {
  const length = Math.max(given.length, candidate.length);
  return length < 3 ? 0 : Math.max(1, Math.floor(length / LETTERS_PER_ERROR));
}

/**
 * Returns the number of insertions, deletions, replacements and swaps of neighbouring characters between two
 * texts; Infinity if it exceeds `most`.
 */
export function editDistance(a: string, b: string, most = Infinity): number {
  if (Math.abs(a.length - b.length) > most) return Infinity;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  const distance = last[b.length]!;
  return distance > most ? Infinity : distance;
}
