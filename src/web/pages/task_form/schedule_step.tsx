/** The wizard's step that chooses when a task runs, with the schedule in words and its next times. */
import { Select, TextField } from "../../components/form.tsx";
import type { Answer } from "../../../client/client.ts";
import type { View } from "../../view.ts";
import { CarriedFields } from "./wizard_frame.tsx";
import type { WizardState } from "./wizard_state.ts";

type Preview = Answer<"/api/schedules/preview", "post">["data"];

const OWN = ["frequency", "time_to_run_at", "weekday", "custom_cron_expression", "timezone"];
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/**
 * Returns the schedule that a person has chosen so far. What is not chosen yet has a default: daily at 02:30,
 * in the user's time zone.
 */
export function scheduleOf(view: View, state: WizardState): Record<string, string> {
  const timezone = state.timezone ?? view.user.timezone;
  if (state.custom_cron_expression !== undefined) {
    return { custom_cron_expression: state.custom_cron_expression, timezone };
  }
  const frequency = state.frequency ?? "daily";
  return {
    frequency,
    time_to_run_at: state.time_to_run_at ?? "02:30",
    ...frequency === "weekly" ? { weekday: state.weekday ?? "0" } : {},
    timezone,
  };
}

export async function ScheduleStep({ view, state }: { view: View; state: WizardState }) {
  const schedule = scheduleOf(view, state);
  const { status, errors, body, message } = await view.ask("/api/schedules/preview", schedule);
  const attributes = view.hx({
    get: view.path("/tasks/new"),
    trigger: "input delay:300ms, change",
    target: "#schedule-preview",
    select: "#schedule-preview",
    swap: "outerHTML",
    vals: '{"step": "schedule"}',
  });
  return (
    <form class="form-wide" action={view.path("/tasks/new")} {...attributes}>
      <CarriedFields state={state} except={OWN} />
      <Select
        name="frequency"
        label="How often"
        value={schedule.frequency}
        error={errors.frequency}
        choices={[{ value: "daily", label: "Every day" }, { value: "weekly", label: "Every week" }]}
      />
      <TextField
        name="time_to_run_at"
        label="Time of day"
        type="time"
        value={schedule.time_to_run_at ?? "02:30"}
        error={errors.time_to_run_at}
      />
      <Select
        name="weekday"
        label="Day of a weekly backup"
        value={schedule.weekday}
        error={errors.weekday}
        choices={WEEKDAYS.map((label, value) => ({ value, label }))}
      />
      <TextField
        name="custom_cron_expression"
        label="Or a cron expression"
        value={schedule.custom_cron_expression}
        error={errors.custom_cron_expression}
        hint="Replaces the fields above, for example 0 */6 * * * for every six hours."
        mono
      />
      <TextField name="timezone" label="Time zone" value={schedule.timezone} error={errors.timezone} />
      <div id="schedule-preview" aria-live="polite">
        {status === 200
          ? <PreviewText preview={body.data} />
          : <p class="notice warn">{Object.values(errors)[0] ?? message}</p>}
      </div>
      <p class="buttons">
        <button class="button" type="submit" name="step" value="finish">Next</button>
        <button class="button quiet" type="submit" name="step" value="schedule">Preview</button>
      </p>
    </form>
  );
}

function PreviewText({ preview: { description, next_runs, notes } }: { preview: Preview }) {
  return (
    <section class="section" aria-label="The schedule in words">
      <h2>{description}</h2>
      <ol class="next-runs">
        {next_runs.map(({ at, local }) => (
          <li key={at}>
            <time class="number" datetime={at}>{local.slice(0, 16).replace("T", " ")}</time>
          </li>
        ))}
      </ol>
      {notes.map((note) => <p key={note} class="muted">{note}</p>)}
    </section>
  );
}
