/** The frame of the wizard's steps. */
import type { Child } from "hono/jsx";
import { PageHeading } from "../../shell.tsx";
import type { View } from "../../view.ts";
import {
  isAnswered,
  STEP_TITLES,
  type StepName,
  STEPS,
  wizardPath,
  type WizardState,
} from "./wizard_state.ts";

interface FrameProps {
  readonly view: View;
  readonly state: WizardState;
  readonly step: StepName;
  readonly title: string;
  readonly lead?: Child;
  readonly children: Child;
}

export function WizardFrame({ view, state, step, title, lead, children }: FrameProps) {
  const current = STEPS.indexOf(step);
  return (
    <>
      <PageHeading view={view} title={title} lead={lead} trail={[{ label: "Tasks", path: "/tasks" }]} />
      <nav class="tabs" aria-label="Steps">
        {STEPS.map((name, index) =>
          index > current && !isAnswered(STEPS[index - 1]!, state)
            ? <span key={name} class="tab-off">{index + 1}. {STEP_TITLES[name]}</span>
            : (
              <a
                key={name}
                href={wizardPath(view, state, { step: name })}
                aria-current={name === step ? "step" : undefined}
              >
                {index + 1}. {STEP_TITLES[name]}
              </a>
            )
        )}
      </nav>
      {children}
    </>
  );
}

/** The answers of the other steps, as hidden controls of a form. */
export function CarriedFields({ state, except }: { state: WizardState; except: readonly string[] }) {
  return (
    <>
      {Object.entries(state).filter(([name]) => !except.includes(name)).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
    </>
  );
}
