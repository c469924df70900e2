/** The steps of a restore, each with an address of its own. */
import { Icon } from "../../components/icon.tsx";
import { exactTime } from "../../components/time.tsx";
import { PageHeading } from "../../shell.tsx";
import type { View } from "../../view.ts";
import type { Backup } from "../backups/browse.ts";
import { visibleName } from "../backups/file_name.tsx";
import { type Plan, stepPath, takes } from "./plan.ts";

const STEPS = ["Which backup", "What", "Where", "Check and start"] as const;

interface StepsProps {
  readonly view: View;
  /** Number of the step, from 1. */
  readonly step: 1 | 2 | 3 | 4;
  /** Null before a backup is chosen. */
  readonly plan: Plan | null;
}

export function RestoreHeading({ view, step, plan }: StepsProps) {
  return (
    <>
      <PageHeading
        view={view}
        title="Restore"
        lead={plan === null
          ? "Choose what to bring back. Nothing is written before the last step."
          : backupInWords(view, plan.backup)}
      >
        <a class="button quiet" href={view.path(`/help/${guideOf(plan)}`)}>
          <Icon name="help" />
          Help
        </a>
      </PageHeading>
      {plan === null ? null : <BackupWarning view={view} backup={plan.backup} />}
      <nav aria-label="Steps">
        <ol class="restore-steps">
          {STEPS.map((label, index) => (
            <li key={label}>
              <StepLink view={view} step={step} plan={plan} number={index + 1} label={label} />
            </li>
          ))}
        </ol>
      </nav>
    </>
  );
}

/** Warns of a backup that is perhaps not what the person wants. */
function BackupWarning({ view, backup }: { view: View; backup: Backup }) {
  const warning = backup.damaged_at !== null
    ? `This backup is damaged: ${sentence(backup.damage_reason)}`
    : backup.suspicious_at !== null
    ? `This backup is suspicious: ${sentence(backup.suspicion)}`
    : null;
  if (warning === null) return null;
  return (
    <p class="notice warn">
      <Icon name="warn" />
      {visibleName(warning)} {backup.backup_task_id === null
        ? null
        : <a href={view.path(`/restore?task_id=${backup.backup_task_id}`)}>Choose another backup</a>}
    </p>
  );
}

function StepLink(
  { view, step, plan, number, label }: StepsProps & { number: number; label: string },
) {
  const text = (
    <>
      <span class="step-number" aria-hidden="true">{number}</span>
      {label}
    </>
  );
  if (number === step) return <strong aria-current="step">{text}</strong>;
  if (number > step || plan === null) return <span class="muted">{text}</span>;
  const { backup } = plan;
  const first = backup.backup_task_id === null ? "/restore" : `/restore?task_id=${backup.backup_task_id}`;
  return (
    <a href={view.path(number === 1 ? first : stepPath(number === 2 ? "what" : "where", plan))}>{text}</a>
  );
}

/** Returns the name of the guide that explains the restore. */
function guideOf(plan: Plan | null): string {
  return plan === null || takes(plan, "paths") ? "guide/restore-files" : "guide/restore-databases";
}

function backupInWords(view: View, backup: Backup): string {
  return `${backup.backup_task?.label ?? "A deleted task"}, as it was on ${
    exactTime(view, backup.created_at)
  }`;
}

/** Ends a reason with a period. */
function sentence(reason: string | null): string {
  return `${(reason ?? "the reason is not known").replace(/\.$/, "")}.`;
}
