/** The choices that a person has made for a new task. They are in the page's address, without secrets. */
import { DEFINITIONS } from "../../../definitions/sources/registry.ts";
import type { View } from "../../view.ts";

/** The fields that the wizard's steps ask for. */
const CARRIED = [
  "remote_server_id",
  "type",
  "source_path",
  "database_type",
  "database_name",
  "backup_destination_id",
  "frequency",
  "time_to_run_at",
  "weekday",
  "custom_cron_expression",
  "timezone",
  "label",
] as const;

export type CarriedName = typeof CARRIED[number];

export const STEPS = ["server", "source", "destination", "schedule", "finish"] as const;
export type StepName = typeof STEPS[number];

export const STEP_TITLES: Readonly<Record<StepName, string>> = {
  server: "Server",
  source: "What",
  destination: "Where to",
  schedule: "When",
  finish: "Rules",
};

export type WizardState = Readonly<Partial<Record<CarriedName, string>>>;

export function readState(valueOf: (name: string) => string): WizardState {
  const given = CARRIED.map((name) => [name, valueOf(name)]).filter(([, value]) => value !== "");
  return Object.fromEntries(given);
}

/**
 * Returns the step to show. This is the step in the address. But if an earlier step has no answer yet, it is
 * the first step without an answer.
 */
export function stepOf(asked: string, state: WizardState): StepName {
  const missing = STEPS.find((step) => !isAnswered(step, state)) ?? "finish";
  const wanted = STEPS.find((step) => step === asked) ?? missing;
  return STEPS.indexOf(wanted) <= STEPS.indexOf(missing) ? wanted : missing;
}

export function isAnswered(step: StepName, state: WizardState): boolean {
  switch (step) {
    case "server":
      return state.remote_server_id !== undefined;
    case "source":
      return state.type !== undefined && hasSource(state);
    case "destination":
      return state.backup_destination_id !== undefined;
    case "schedule":
      return state.custom_cron_expression !== undefined ||
        state.frequency !== undefined && state.time_to_run_at !== undefined;
    case "finish":
      return false;
  }
}

/** Returns whether the state has the field that its type of source needs. Some types need none. */
function hasSource(state: WizardState): boolean {
  const required = [...DEFINITIONS.values()].filter(({ taskType }) => taskType === state.type)
    .flatMap(({ requiredField }) => requiredField ?? []);
  return required.length === 0 || required.some((name) => state[name as CarriedName] !== undefined);
}

/**
 * Returns the wizard's address with the answers of `state`, changed by `changes`. If the new value of an
 * answer is an empty text, the address does not contain the answer.
 */
export function wizardPath(
  view: View,
  state: WizardState,
  changes: Readonly<Partial<Record<CarriedName | "step" | "at", string | number>>>,
): string {
  const query = new URLSearchParams(state as Record<string, string>);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") query.delete(name);
    else query.set(name, String(value));
  }
  return view.path(`/tasks/new?${query}`);
}
