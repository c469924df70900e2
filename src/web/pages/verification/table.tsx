/** The table of tasks with their proofs. */
import { Strip } from "../../components/chart.tsx";
import { PostButton } from "../../components/form.tsx";
import { Mark } from "../../components/status.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { Ago, exactTime } from "../../components/time.tsx";
import type { View } from "../../view.ts";
import {
  type Check,
  CHECK_LOOKS,
  evidenceWords,
  lastOf,
  PROOF_LOOKS,
  reasonOf,
  seconds,
  type TaskProofs,
} from "./proofs.ts";

/** Number of checks in a strip. */
export const STRIP = 20;

/** A task with the checks that its strip shows. */
type Row = TaskProofs & { readonly strip?: readonly Check[] };

function TaskName({ view, task }: { view: View; task: Row }) {
  const reason = reasonOf(task);
  return (
    <div class="task-name">
      <span class="line">
        <a href={view.path(`/tasks/${task.backup_task_id}`)} title={task.label}>{task.label}</a>
      </span>
      {reason === null ? null : <span class="line muted small reason" title={reason}>{reason}</span>}
    </div>
  );
}

/** The last successful drill: when, how long its restore took, and what it compared. */
function Drill({ view, task }: { view: View; task: Row }) {
  const { proven } = task;
  if (proven.last_at === null) return <span class="muted">never</span>;
  const last = lastOf(task, "drill");
  const words = last?.evidence ? evidenceWords(last.evidence) : "";
  const text = (
    <>
      <Ago view={view} at={proven.last_at} />
      {proven.restore_ms === null ? null : `, in ${seconds(proven.restore_ms)}`}
    </>
  );
  return (
    <span class="line" title={words === "" ? undefined : `Compared: ${words}`}>
      {last?.outcome === "proven" ? <a href={view.path(`/verification/${last.id}`)}>{text}</a> : text}
      {words === "" ? null : <span class="muted">{` · ${words}`}</span>}
    </span>
  );
}

function Verified({ view, task }: { view: View; task: Row }) {
  const last = lastOf(task, "verify");
  const text = <Ago view={view} at={task.checked.last_at} />;
  return last === undefined ? text : <a href={view.path(`/verification/${last.id}`)}>{text}</a>;
}

/** When the next drill is due; without drills, when the next verification is. */
function NextDue({ view, task }: { view: View; task: Row }) {
  const { proven: { due_at: drill }, checked: { due_at: verification } } = task;
  if (drill === null && verification === null) return <span class="muted">by hand</span>;
  const at = drill ?? verification!;
  const isDue = Date.parse(at) <= view.now.getTime();
  return (
    <span title={exactTime(view, at)}>
      {drill === null ? "verify " : "drill "}
      {isDue ? "now due" : <Ago view={view} at={at} />}
    </span>
  );
}

function ChecksStrip({ view, task }: { view: View; task: Row }) {
  const checks = (task.strip ?? task.checks).slice(-STRIP);
  const missing = Array.from({ length: STRIP - checks.length }, () => ({
    tone: "none" as const,
    title: "No check",
  }));
  const items = checks.map(({ kind, outcome, finished_at, reason }) => ({
    tone: outcome === "verified" ? "active" as const : CHECK_LOOKS[outcome].tone,
    title: [
      `${exactTime(view, finished_at)}: ${kind === "drill" ? "drill" : "verification"}`,
      `${CHECK_LOOKS[outcome].word}${reason === null ? "" : `: ${reason}`}`,
    ].join(", "),
  }));
  const bad = checks.filter(({ outcome }) => outcome === "damaged" || outcome === "failed").length;
  const drills = checks.filter(({ outcome }) => outcome === "proven").length;
  return (
    <a href={view.path(`/runs?backup_task_id=${task.backup_task_id}&kind=drill`)}>
      <Strip
        label={`Last ${checks.length} checks: ${drills} successful drills, ${bad} failed`}
        items={[...missing, ...items]}
      />
    </a>
  );
}

function Actions({ view, task }: { view: View; task: Row }) {
  const id = task.newest_backup_id;
  if (id === null || !view.may("run-backup-tasks")) return null;
  const button = (kind: "drill" | "verify", label: string) => (
    <PostButton
      view={view}
      action={`/verification/backups/${id}/${kind}`}
      label={label}
      about={`${label}: the newest backup of ${task.label}`}
    />
  );
  return (
    <span class="buttons">
      {task.is_drillable ? button("drill", "Drill now") : null}
      {button("verify", "Verify now")}
    </span>
  );
}

function columnsOf(view: View): Column<Row>[] {
  return [
    {
      label: "Status",
      cell: ({ status, note }) => (
        <span title={note ?? undefined}>
          <Mark
            icon={PROOF_LOOKS[status].icon}
            tone={PROOF_LOOKS[status].tone}
            text={PROOF_LOOKS[status].word}
          />
        </span>
      ),
    },
    { label: "Task", kind: "main", cell: (task) => <TaskName view={view} task={task} /> },
    { label: "Last proven", class: "fluid", cell: (task) => <Drill view={view} task={task} /> },
    { label: "Last verified", kind: "number", cell: (task) => <Verified view={view} task={task} /> },
    { label: "Next", kind: "number", cell: (task) => <NextDue view={view} task={task} /> },
    { label: "Last checks", cell: (task) => <ChecksStrip view={view} task={task} /> },
    { label: "Action", kind: "action", cell: (task) => <Actions view={view} task={task} /> },
  ];
}

export function ProofTable({ view, tasks }: { view: View; tasks: readonly Row[] }) {
  return (
    <Table
      view={view}
      class="tasks proofs"
      caption="Tasks with their proofs, the worst first"
      columns={columnsOf(view)}
      rows={tasks}
      keyOf={({ backup_task_id }) => backup_task_id}
      toneOf={({ status }) => {
        const { tone } = PROOF_LOOKS[status];
        return tone === "bad" || tone === "warn" || tone === "quiet" ? tone : undefined;
      }}
    />
  );
}
