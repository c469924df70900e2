/** Converts an exclusion rule to options of tar, and to a function that matches names. */

export interface ExclusionRule {
  /** The entry of `excluded_paths` that the rule was made from. */
  given: string;
  /** The pattern, relative to the source's root, without `./`. */
  pattern: string;
  /**
   * Whether the pattern matches only from the source's root. If false, the pattern matches at every depth.
   */
  isAnchored: boolean;
  /** Whether every character of the pattern is literal. */
  isLiteral: boolean;
  /** Whether the pattern ended with a slash, so that it matches only directories. */
  isDirectory?: boolean;
}

/**
 * Returns the options of tar for a rule. An option such as `--anchored` applies to all patterns that follow
 * it. So each rule sets all of these options again.
 *
 * @param keepsFiles If true, tar leaves out only what is inside a match, and keeps the match itself. Used for
 *   patterns that match only directories: tar cannot limit a pattern to directories, so it would also leave
 *   out the files that match.
 */
export function ruleArguments(rule: ExclusionRule, keepsFiles = false): string[] {
  const isLiteral = rule.isLiteral && !keepsFiles;
  const written = rule.isLiteral && keepsFiles ? quotePattern(rule.pattern) : rule.pattern;
  const matching = isLiteral ? ["--no-wildcards"] : ["--wildcards", "--no-wildcards-match-slash"];
  const { isAnchored, patterns } = isLiteral
    ? { isAnchored: rule.isAnchored, patterns: [written] }
    : expandAnyDepth(written, rule.isAnchored);
  const prefix = isAnchored ? "./" : "";
  const suffix = keepsFiles ? "/*" : "";
  return [
    isAnchored ? "--anchored" : "--no-anchored",
    ...matching,
    ...patterns.map((pattern) => `--exclude=${prefix}${pattern}${suffix}`),
  ];
}

/** Maximum number of globs that replace one `**`. With 32 globs, the `**` matches 0 to 31 directories. */
const DEPTH = 32;

/**
 * Replaces a pattern with `**` by patterns that tar supports. In place of `**`, each returned pattern has a
 * fixed number of directories: the first pattern has none, the second has one, which is written as `*`, and
 * so on.
 */
function expandAnyDepth(pattern: string, isAnchored: boolean): { isAnchored: boolean; patterns: string[] } {
  const names = starNames(pattern);
  if (names === null) return { isAnchored, patterns: [pattern] };
  // Drop a leading `**`, and do not anchor the rest: a pattern that is not anchored matches at every depth.
  if (names[0] === ANY_DEPTH && names.length > 1) return expandAnyDepth(names.slice(1).join("/"), false);
  if (names.at(-1) === ANY_DEPTH) names.splice(-1, 1, "*");
  const depth = DEPTH / 2 ** (names.filter((name) => name === ANY_DEPTH).length - 1);
  let patterns = [""];
  for (const name of names) {
    const choices = name === ANY_DEPTH
      ? Array.from({ length: Math.max(depth, 2) }, (_, count) => "*/".repeat(count))
      : [`${name}/`];
    patterns = patterns.flatMap((before) => choices.map((choice) => before + choice));
  }
  return { isAnchored, patterns: patterns.map((text) => text.slice(0, -1)) };
}

const ANY_DEPTH = "**";

/**
 * Splits a pattern at each `/`, and returns the names. Replaces several `**` in a row by one `**`. Returns
 * null if none of the names is `**`.
 */
function starNames(pattern: string): string[] | null {
  const names = pattern.split("/");
  if (!names.includes(ANY_DEPTH)) return null;
  return names.filter((name, at) => name !== ANY_DEPTH || names[at - 1] !== ANY_DEPTH);
}

/**
 * Returns a function that says whether the rule matches a name. Names are relative to the source's root,
 * without `./`. The function returns false for names below a match.
 */
export function ruleMatcher({ pattern, isAnchored, isLiteral }: ExclusionRule): (name: string) => boolean {
  if (isLiteral && isAnchored) return (name) => name === pattern;
  if (isLiteral) return (name) => name === pattern || name.endsWith(`/${pattern}`);
  const glob = pathSource(pattern);
  const expression = new RegExp(isAnchored ? `^${glob}$` : `(?:^|/)${glob}$`, "su");
  return (name) => expression.test(name);
}

/** Returns whether one of the matchers matches the name or a directory above it. */
export function isExcluded(name: string, matchers: readonly ((name: string) => boolean)[]): boolean {
  for (let at = name; at !== ""; at = at.slice(0, Math.max(at.lastIndexOf("/"), 0))) {
    if (matchers.some((matches) => matches(at))) return true;
  }
  return false;
}

/** Returns whether the pattern has a character that fnmatch(3) does not take literally. */
export function hasWildcards(pattern: string): boolean {
  return /[\\*?[]/.test(pattern);
}

/** Returns a name quoted so that fnmatch(3) takes it literally. */
export function quotePattern(name: string): string {
  return name.replace(/[\\*?[\]]/g, "\\$&");
}

function pathSource(pattern: string): string {
  const names = starNames(pattern);
  if (names === null) return globSource(pattern);
  const last = names.length - 1;
  return names.map((name, at) => {
    if (name !== ANY_DEPTH) return globSource(name) + (at === last ? "" : "/");
    return at === last ? "[^/]*" : "(?:.*/)?";
  }).join("");
}

/** Returns the regular expression, without anchors, for a glob of fnmatch(3) with FNM_PATHNAME. */
export function globSource(glob: string): string {
  let source = "";
  for (let at = 0; at < glob.length;) {
    const character = String.fromCodePoint(glob.codePointAt(at)!);
    at += character.length;
    const bracket = character === "[" ? bracketSource(glob, at) : null;
    if (bracket !== null) {
      source += bracket.source;
      at = bracket.end;
    } else if (character === "*") source += "[^/]*";
    else if (character === "?") source += "[^/]";
    else if (character === "\\" && at < glob.length) {
      const escaped = String.fromCodePoint(glob.codePointAt(at)!);
      at += escaped.length;
      source += RegExp.escape(escaped);
    } else source += RegExp.escape(character);
  }
  return source;
}

const CLASSES: Record<string, string> = {
  alnum: "\\p{L}\\p{N}",
  alpha: "\\p{L}",
  blank: " \\t",
  cntrl: "\\p{Cc}",
  digit: "0-9",
  graph: "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}",
  lower: "\\p{Ll}",
  print: "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S} ",
  punct: "\\p{P}\\p{S}",
  space: "\\s",
  upper: "\\p{Lu}",
  xdigit: "0-9A-Fa-f",
};

/**
 * Returns the bracket expression whose `[` is just before `start`. Returns null if the expression is not
 * closed: the `[` is then literal.
 */
function bracketSource(glob: string, start: number): { source: string; end: number } | null {
  let at = start;
  const isNegated = glob[at] === "!" || glob[at] === "^";
  if (isNegated) at++;
  let members = "";
  for (let isFirst = true; glob[at] !== "]" || isFirst; isFirst = false) {
    if (at >= glob.length || glob[at] === "/") return null;
    const named = /^\[:([a-z]+):\]/.exec(glob.slice(at));
    if (named !== null && named[1]! in CLASSES) {
      members += CLASSES[named[1]!];
      at += named[0].length;
      continue;
    }
    if (glob[at] === "\\" && at + 1 < glob.length) at++;
    const character = String.fromCodePoint(glob.codePointAt(at)!);
    at += character.length;
    const isRange = character === "-" && !isFirst && glob[at] !== "]";
    members += isRange ? "-" : character.replace(/[\\\]^[-]/g, "\\$&");
  }
  // With FNM_PATHNAME, no bracket expression matches a slash.
  return { source: `(?!/)[${isNegated ? "^" : ""}${members}]`, end: at + 1 };
}
