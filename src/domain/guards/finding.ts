/** Applies guards to a backup and describes their findings. */
import type { BackupStats, GuardAction, GuardHistory, Severity } from "./guard.ts";
import { FORMER_NAMES } from "./former_names.ts";
import { GUARD_NAMES, guardOf } from "./registry.ts";

export interface Finding {
  /** Name of the guard. A newer agent may report guards that the control plane does not support. */
  readonly name: string;
  /** The finding in one line. */
  readonly message: string;
  readonly severity: Severity;
}

/** The result of applying guards to a backup. */
export interface Judgement {
  /** Names of the guards that were applied. */
  readonly checked: string[];
  readonly findings: Finding[];
  /** Messages about findings that do not fail the run, with advice. */
  readonly warnings: string[];
  /** Why the run fails, with advice; null if no finding fails it. */
  readonly failure: string | null;
  /** Why some guards had nothing to compare the backup with. */
  readonly notCompared: string[];
}

/** Applies the guards that `actions` names and this version supports, in the order of the registry. */
export function judgeBackup(
  actions: Readonly<Record<string, GuardAction>>,
  backup: BackupStats,
  history: GuardHistory,
): Judgement {
  const checked = GUARD_NAMES.filter((name) => Object.hasOwn(actions, name));
  const notCompared = new Set<string>();
  const judged = checked.flatMap((name) => {
    const guard = guardOf(name)!;
    const action = actions[name]!;
    if (action === "ignore") return [];
    const missing = guard.missingHistory(history);
    if (missing !== null) notCompared.add(missing);
    const text = missing === null ? guard.judge(backup, history) : null;
    if (text === null) return [];
    const finding: Finding = { name, message: capitalized(text), severity: guard.severity };
    return [{ finding, action, text: `${text}. ${guard.advice[action]}` }];
  });
  const failing = judged.find(({ action }) => action === "fail");
  return {
    checked,
    findings: judged.map(({ finding }) => finding),
    warnings: judged.filter((each) => each !== failing).map(({ text }) => `This backup looks wrong: ${text}`),
    failure: failing === undefined ? null : `Cannot trust this backup: ${failing.text}`,
    notCompared: [...notCompared],
  };
}

function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** Returns the critical findings joined into one line; null if there are none. */
export function describeSuspicion(findings: readonly Finding[]): string | null {
  const critical = findings.filter(({ severity }) => severity === "critical");
  return critical.map(({ message }) => message).join("; ") || null;
}

/**
 * Returns the findings in the report of an older agent. Such a report has one field for each guard in {@link
 * FORMER_NAMES}.
 */
export function findingsOfReport(report: Readonly<Record<string, unknown>>): Finding[] {
  return FORMER_NAMES.flatMap(({ name, report: field }): Finding[] => {
    const message = report[field];
    return typeof message === "string" ? [{ name, message, severity: "critical" }] : [];
  });
}

/**
 * Returns the findings of a backup that was made before findings were recorded. Such a backup has the text
 * `suspicion` instead. The text contains the message of the guard `incompressible`, of the guard `shrink`, or
 * of both in this order.
 */
export function findingsOfSuspicion(suspicion: string | null): Finding[] {
  if (suspicion === null) return [];
  const start = suspicion.search(/(^|; )It shrank /);
  if (start === -1) return findingsOfReport({ suspicion });
  const shrinking = suspicion.slice(start).replace(/^; /, "");
  return findingsOfReport({ suspicion: suspicion.slice(0, start) || null, shrinking });
}
