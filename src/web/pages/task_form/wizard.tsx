/** The page `/tasks/new`: creates a task in five steps. Each step has an address of its own. */
import { Icon } from "../../components/icon.tsx";
import { Empty } from "../../components/table.tsx";
import { Status } from "../../components/status.tsx";
import { addAction, addPage, type PageContent, refused } from "../../page.tsx";
import { path, type Site } from "../../site.ts";
import type { View } from "../../view.ts";
import { Place } from "../destinations/place.tsx";
import { statusOf } from "../servers/servers.tsx";
import { readChoices } from "./choices.ts";
import { type Attempt, createTask, FinishStep } from "./finish_step.tsx";
import { scheduleOf, ScheduleStep } from "./schedule_step.tsx";
import { DatabaseChoice, FilesChoice, pathProblem, TypeChoice } from "./source_step.tsx";
import { WizardFrame } from "./wizard_frame.tsx";
import { readState, type StepName, stepOf, wizardPath, type WizardState } from "./wizard_state.ts";

interface StepProps {
  readonly view: View;
  readonly state: WizardState;
}

async function ServerStep({ view, state }: StepProps) {
  const { rows } = await view.list("/api/remote-servers", { query: { per_page: 100, sort: "label" } });
  if (rows.length === 0) {
    return (
      <Empty title="No server yet.">
        <a class="button" href={view.path("/servers/new")}>Add a server</a>
      </Empty>
    );
  }
  return (
    <ul class="choices">
      {rows.map((server) => (
        <li key={server.id}>
          <a
            href={wizardPath(view, state, { remote_server_id: server.id, step: "source" })}
          >
            <Icon name="servers" />
            <span class="choice-main">{server.label}</span>
            <Status name={statusOf(server)} />
            <Icon name="next" />
          </a>
        </li>
      ))}
    </ul>
  );
}

async function SourceStep({ view, state, problem }: StepProps & { problem?: string }) {
  if (state.type === undefined) return <TypeChoice view={view} state={state} />;
  const back = wizardPath(view, state, { type: "", source_path: "", database_name: "", step: "source" });
  return (
    <>
      <p>
        <a href={back}>Choose another kind of source</a>
      </p>
      {state.type === "database"
        ? await DatabaseChoice({ view, state })
        : await FilesChoice({ view, state, problem })}
    </>
  );
}

async function DestinationStep({ view, state }: StepProps) {
  const { rows } = await view.list("/api/backup-destinations", { query: { per_page: 100, sort: "label" } });
  const back = wizardPath(view, state, { step: "destination" }).slice(view.site.base.length);
  const add = view.may("create-backup-destinations")
    ? (
      <a class="button quiet" href={view.path(`/destinations/new?${new URLSearchParams({ back })}`)}>
        Add a destination
      </a>
    )
    : null;
  if (rows.length === 0) return <Empty title="No destination yet.">{add}</Empty>;
  return (
    <>
      <ul class="choices">
        {rows.map((destination) => (
          <li key={destination.id}>
            <a
              href={wizardPath(view, state, { backup_destination_id: destination.id, step: "schedule" })}
            >
              <Icon name="destinations" />
              <span class="choice-main">
                {destination.label}
                <span class="muted small">
                  {destination.type_human} <Place destination={destination} />
                </span>
              </span>
              <Icon name="next" />
            </a>
          </li>
        ))}
      </ul>
      <p class="buttons">{add}</p>
    </>
  );
}

const TITLES: Readonly<Record<StepName, string>> = {
  server: "Which server has the data?",
  source: "What is backed up?",
  destination: "Where do backups go?",
  schedule: "When does it run?",
  finish: "How long are backups kept, and how are they protected?",
};

/**
 * Checks the answer of the step before `step`. If this answer is wrong, returns the step that must be
 * corrected. Otherwise returns `step`. `problem` says what is wrong. It is absent if nothing is wrong, or if
 * the page of the returned step finds the problem itself.
 */
async function firstWrong(
  view: View,
  state: WizardState,
  step: StepName,
): Promise<{ step: StepName; problem?: string }> {
  if (step === "destination") {
    const problem = await pathProblem(view, state);
    return problem === undefined ? { step } : { step: "source", problem };
  }
  if (step !== "finish") return { step };
  const { status } = await view.ask("/api/schedules/preview", scheduleOf(view, state));
  return { step: status === 422 ? "schedule" : step };
}

async function show(
  view: View,
  state: WizardState,
  asked: StepName,
  attempt?: Attempt,
): Promise<PageContent> {
  const { step, problem } = await firstWrong(view, state, asked);
  const content = step === "server"
    ? await ServerStep({ view, state })
    : step === "source"
    ? await SourceStep({ view, state, problem })
    : step === "destination"
    ? await DestinationStep({ view, state })
    : step === "schedule"
    ? await ScheduleStep({ view, state })
    : <FinishStep view={view} state={state} choices={await readChoices(view)} attempt={attempt} />;
  return {
    title: "New task",
    status: attempt === undefined ? 200 : 422,
    content: <WizardFrame view={view} state={state} step={step} title={TITLES[step]}>{content}</WizardFrame>,
  };
}

export function addTaskWizard(site: Site): void {
  addPage(site, "/tasks/new", async (view) => {
    const state = readState((name) => view.query(name));
    return await show(view, state, stepOf(view.query("step"), state));
  });
  addAction(site, "/tasks/new", async (view, form) => {
    const state = readState((name) => form.text(name));
    const created = await createTask(view, form, state);
    if ("attempt" in created) return await show(view, state, "finish", created.attempt);
    if ("refused" in created) return refused(view, form, created.refused);
    const { taskId, runId } = created;
    return {
      goTo: runId === null ? path`/tasks/${taskId}` : path`/runs/${runId}`,
      done: "The task is added.",
    };
  });
}
