/** Compares each run's output in the API with the events that its agent sent over the wire. */
import type { SentEvent } from "./sent_events.ts";
import type { Stage, StagedTask } from "./stage.ts";

interface Run {
  readonly id: number;
  readonly attempt: number;
  readonly state: string;
  /** Whether the agent's verdict was applied to the run; null if there was no verdict. */
  readonly isAccounted: boolean | null;
}

/**
 * How many event numbers an agent skips at a restart, after it has read its journal. The agent might have
 * sent events with these numbers before the restart, and the journal might have lost these events.
 */
const LEFT_OUT = 2 ** 20;

export async function outputIsWhole(stage: Stage): Promise<string[]> {
  const problems = [...stage.world.spoken.conflicts];
  for (const task of stage.tasks) {
    const runs = await stage.world.sql((sql) =>
      sql<Run[]>`
        select r.id, r.attempt, r.state, a.verdict_applied as "isAccounted" from runs r
        left join run_attempts a on a.run_id = r.id and a.attempt = r.attempt
        where r.backup_task_id = ${task.id} order by r.id`
    );
    for (const run of runs) {
      problems.push(...(await judge(stage, task, run)).map((is) => `run ${run.id}: ${is}`));
    }
  }
  return problems;
}

async function judge({ plan, world }: Stage, task: StagedTask, run: Run): Promise<string[]> {
  const { body, status } = await world.call("GET", `/backup-task-logs/${run.id}`);
  if (status !== 200) return [`its log is answered with ${status}`];
  const shown: string = body.data.output;
  const said = world.spoken.of(run.id, run.attempt);
  const problems: string[] = [];
  let last = 0;
  for (const [sequence] of said) {
    const isNext = sequence === last + 1 || sequence > LEFT_OUT;
    if (!isNext) problems.push(`its agent never sent event ${last + 1}, but sent ${sequence}`);
    last = sequence;
  }
  // If a run ended without the agent's verdict, its output might stop at any event. If the agent's disk was
  // full, a restart might lose the verdict and other events. The agent then sends a second verdict. If the
  // control plane received the first verdict, it uses the first one. Otherwise it uses the second one, and
  // the output lacks the events that the agent lost.
  const isForgetful = plan.faults.some(({ action }) =>
    action.type === "fill the agent's disk" && action.agent === task.agent
  );
  let whole = "";
  const wholes = [whole];
  const accounts: string[] = [];
  for (const [, { kind, text }] of said) {
    wholes.push(whole += text);
    if (kind === "finished") accounts.push(whole);
  }
  if (isForgetful) accounts.push(...forgotten(said));
  const isWhole = (run.isAccounted === true ? accounts : wholes).includes(shown);
  if (!isWhole) problems.push(`${difference(shown, whole)} (${run.state}, ${said.length} events)`);
  if (run.state !== "succeeded") return problems;
  if (said.at(-1)?.[1].kind !== "finished") problems.push("it succeeded, and its agent never said so");
  const lines = new Map<string, number>();
  for (const line of shown.split("\n")) {
    const text = line.slice(line.indexOf(" ") + 1);
    lines.set(text, (lines.get(text) ?? 0) + 1);
  }
  for (
    const known of [
      ...world.trees[task.tree].knownLines,
      `Backing up files in ${world.trees[task.tree].path}`,
    ]
  ) {
    if (lines.get(known) !== 1) problems.push(`"${known}" is ${lines.get(known) ?? 0} times in its output`);
  }
  return problems;
}

/**
 * Returns every output that is possible if the agent lost some events. An agent that is killed loses the
 * events that are only in its memory.
 */
function forgotten(said: readonly [sequence: number, event: SentEvent][]): string[] {
  const restart = said.findIndex(([sequence]) => sequence > LEFT_OUT);
  if (restart === -1) return [];
  const text = (events: typeof said) => events.map(([, event]) => event.text).join("");
  return said.slice(0, restart + 1).map((_, count) => text(said.slice(0, count)) + text(said.slice(restart)));
}

function difference(shown: string, said: string): string {
  let at = 0;
  while (at < shown.length && shown[at] === said[at]) at++;
  const show = (text: string) => JSON.stringify(text.slice(at, at + 80));
  return `its output of ${shown.length} characters differs from the ${said.length} that were sent, at ${at}: ` +
    `${show(shown)} instead of ${show(said)}`;
}
