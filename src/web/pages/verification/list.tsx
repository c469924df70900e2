/** The page `/verification`: whether what is stored can be restored, by task, the worst first. */
import { PROOF_STATUSES } from "../../../domain/history/proof.ts";
import { TextField } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { Live } from "../../components/live.tsx";
import { count } from "../../components/number.tsx";
import { Empty, Pages } from "../../components/table.tsx";
import { Elsewhere } from "../../components/form.tsx";
import { addPage, addSimpleAction } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import { path, type Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import { countStatuses, PROOF_LOOKS, reasonOf, type TaskProofs, verdictOf } from "./proofs.ts";
import { ProofTable, STRIP } from "./table.tsx";

/** Number of tasks on one page. */
const PER_PAGE = 50;

/** The tasks that fit the filters, the worst first; those whose last check failed come before the others. */
function choose(view: View, tasks: readonly TaskProofs[]): ListPage<TaskProofs> {
  const [status, search] = [view.query("status"), view.query("search").toLowerCase()];
  const fitting = tasks.filter((task) =>
    (status === "" || task.status === status) && task.label.toLowerCase().includes(search)
  );
  const rank = (task: TaskProofs) =>
    PROOF_STATUSES.indexOf(task.status) * 2 + (reasonOf(task) === null ? 1 : 0);
  const sorted = fitting.toSorted((a, b) =>
    rank(a) - rank(b) || provenAt(a) - provenAt(b) || a.label.localeCompare(b.label)
  );
  const pages = Math.max(1, Math.ceil(sorted.length / PER_PAGE));
  const page = Math.min(pages, Math.max(1, Number(view.query("page")) || 1));
  const rows = sorted.slice((page - 1) * PER_PAGE, page * PER_PAGE);
  return { rows, total: sorted.length, page, pages };
}

function provenAt({ proven: { last_at } }: TaskProofs): number {
  return last_at === null ? 0 : Date.parse(last_at);
}

/** Reads the last checks of the tasks on the page. */
async function withChecks(view: View, list: ListPage<TaskProofs>): Promise<ListPage<TaskProofs>> {
  if (list.rows.length === 0) return list;
  const ids = list.rows.map(({ backup_task_id }) => backup_task_id).join(",");
  const tasks = await view.get("/api/history/proofs", { query: { ids, limit: STRIP } });
  const checks = new Map(tasks.map((task) => [task.backup_task_id, task.checks]));
  return {
    ...list,
    rows: list.rows.map((row) => ({ ...row, strip: checks.get(row.backup_task_id) ?? row.checks })),
  };
}

function Tabs({ view, tasks }: { view: View; tasks: readonly TaskProofs[] }) {
  const counts = countStatuses(tasks);
  const chosen = view.query("status");
  const tab = (name: string, label: string, number: number) => (
    <a
      key={name}
      href={view.with({ status: name, page: null })}
      aria-current={chosen === name ? "true" : undefined}
    >
      {label} <span class="muted number">{count(number)}</span>
    </a>
  );
  return (
    <nav class="tabs" aria-label="Tasks by proof">
      {tab("", "All", tasks.length)}
      {PROOF_STATUSES.filter((name) => counts[name] > 0 || name === chosen)
        .map((name) => tab(name, PROOF_LOOKS[name].word, counts[name]))}
    </nav>
  );
}

function Verdict({ tasks }: { tasks: readonly TaskProofs[] }) {
  const counts = countStatuses(tasks);
  const isGood = counts.damaged + counts.never_proven + counts.overdue === 0 && counts.proven > 0;
  const tone = isGood ? "good" : counts.damaged + counts.never_proven > 0 ? "bad" : "warn";
  return (
    <p class={`notice ${tone}`}>
      <Icon name={isGood ? "verification" : tone} />
      {verdictOf(tasks)}
    </p>
  );
}

function VerificationPage({ view, tasks, list }: VerificationProps) {
  return (
    <>
      <PageHeading
        view={view}
        title="Verification"
        lead={
          <>
            A verification reads a backup back. A drill restores it on trial and compares the result.{" "}
            <a href={view.path("/help/guide/verification.md")}>How they work</a>
          </>
        }
      />
      {tasks.length === 0
        ? (
          <Empty title="There is no task yet.">
            <p class="muted">As soon as a task has a backup, its first verification and drill are planned.</p>
            {view.may("create-backup-tasks")
              ? <a class="button" href={view.path("/tasks/new")}>Add a task</a>
              : null}
          </Empty>
        )
        : (
          <>
            <form class="filters compact" action={view.path("/verification")} role="search">
              {view.query("status") === ""
                ? null
                : <input type="hidden" name="status" value={view.query("status")} />}
              <TextField
                name="search"
                label="Search"
                type="search"
                value={view.query("search")}
                placeholder="Search tasks"
              />
              <button class="button quiet" type="submit">Filter</button>
            </form>
            <Live view={view} id="proofs" topics={["runs", "backups", "tasks"]}>
              <Verdict tasks={tasks} />
              <Tabs view={view} tasks={tasks} />
              {list.rows.length === 0
                ? (
                  <Empty title="No task matches.">
                    <a class="button quiet" href={view.path("/verification")}>Show all tasks</a>
                  </Empty>
                )
                : <ProofTable view={view} tasks={list.rows} />}
              <Pages view={view} list={list} />
            </Live>
            <Elsewhere cli="rearguard history proofs" api="GET /api/history/proofs" />
          </>
        )}
    </>
  );
}

interface VerificationProps {
  readonly view: View;
  readonly tasks: readonly TaskProofs[];
  readonly list: ListPage<TaskProofs>;
}

export function addVerificationList(site: Site): void {
  addPage(site, "/verification", async (view) => {
    const tasks = await view.get("/api/history/proofs");
    const list = await withChecks(view, choose(view, tasks));
    return { title: "Verification", content: <VerificationPage view={view} tasks={tasks} list={list} /> };
  });
  for (const [kind, done] of [["drill", "The drill is queued."], ["verify", "The verification is queued."]]) {
    addSimpleAction(site, `/verification/backups/:id/${kind}`, {
      method: "POST",
      to: (parameter) => `${path`/api/backups/${parameter("id")}`}/${kind}`,
      body: () => ({}),
      done: done!,
    });
  }
}
