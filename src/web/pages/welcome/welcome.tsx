/** The page `/welcome`: the first steps, one after another. */
import { Icon } from "../../components/icon.tsx";
import { Live } from "../../components/live.tsx";
import { addAction, addPage, type PageContent, refused } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Form, Site } from "../../site.ts";
import type { View } from "../../view.ts";
import { type FirstBackup, FirstBackupForm, makeFirstBackup, readFirstBackup } from "./first_backup.tsx";
import { type Progress, readProgress, type Step } from "./steps.ts";

interface WelcomeProps {
  readonly view: View;
  readonly progress: Progress;
  readonly backup: FirstBackup;
}

function WelcomePage({ view, progress, backup }: WelcomeProps) {
  const done = progress.steps.filter(({ isDone }) => isDone).length;
  return (
    <>
      <PageHeading
        view={view}
        title="First steps"
        lead={`${done} of ${progress.steps.length} done. Each can wait; the order is not fixed.`}
      />
      <ol class="steps">
        {progress.steps.map((step) => (
          <li
            key={step.name}
            id={`step-${step.name}`}
            class={step.isDone ? "done" : step.name === progress.next ? "next" : undefined}
          >
            <h2>
              <Icon name={step.isDone ? "good" : "todo"} />
              {step.title}
              <span class="hidden">{step.isDone ? ": done" : ": not done yet"}</span>
            </h2>
            {step.isDone ? null : <StepBody view={view} step={step} progress={progress} backup={backup} />}
          </li>
        ))}
      </ol>
      {progress.next === null
        ? (
          <p class="buttons">
            <a class="button" href={view.path("/")}>Go to the overview</a>
          </p>
        )
        : null}
    </>
  );
}

function StepBody({ view, step, progress, backup }: WelcomeProps & { step: Step }) {
  switch (step.name) {
    case "login":
      return (
        <>
          <p>
            A password alone can be stolen. With an authenticator app, each log-in with the password also
            needs a code. A passkey logs you in without the password, but the password alone still works until
            a second factor is required of everybody.
          </p>
          <p class="buttons">
            <a class="button quiet" href={view.path("/account/passkeys")}>Add a passkey</a>
            <a class="button quiet" href={view.path("/account/second-factor")}>Set up an authenticator app</a>
          </p>
        </>
      );
    case "kit":
      return (
        <>
          <p>
            The kit says where every backup is and how to restore without this control plane. Print it, or
            keep it on another machine, together with the secret key that it names.
          </p>
          <p class="buttons">
            <a class="button" href={view.path("/installation/recovery-kit")}>Show the recovery kit</a>
          </p>
        </>
      );
    case "server":
      return (
        <>
          <p>Rearguard runs an agent on each server whose data it backs up.</p>
          <p class="buttons">
            <a class="button" href={view.path("/servers/new")}>Add a server</a>
          </p>
        </>
      );
    case "backup":
      return progress.runId === null
        ? <FirstBackupForm view={view} backup={backup} />
        : (
          <Live view={view} id="first-run" topics={["runs", "backups"]}>
            <p>
              The first run has begun: <a href={view.path(`/runs/${progress.runId}`)}>see how it goes</a>.
            </p>
          </Live>
        );
    case "alerts":
      return (
        <>
          <p>Until then, you learn of failures only if you look here.</p>
          <p class="buttons">
            <a class="button" href={view.path("/alerts/new")}>Add a mailbox or a channel</a>
          </p>
        </>
      );
    case "restore":
      return progress.backupId === null
        ? <p class="muted">A backup is worth what its restore is worth: try it as soon as there is one.</p>
        : (
          <>
            <p>Restore one file into another directory. Nothing is overwritten.</p>
            <p class="buttons">
              <a class="button" href={view.path(`/backups/${progress.backupId}`)}>Choose a file</a>
            </p>
          </>
        );
  }
}

async function show(view: View, backup: FirstBackup): Promise<PageContent> {
  const progress = await readProgress(view);
  return {
    title: "First steps",
    content: <WelcomePage view={view} progress={progress} backup={backup} />,
    status: Object.keys(backup.errors).length === 0 ? 200 : 422,
  };
}

export function addWelcomePage(site: Site): void {
  addPage(site, "/welcome", async (view) => await show(view, await readFirstBackup(view)));
  addAction(site, "/welcome/backup", async (view, form: Form) => {
    const result = await makeFirstBackup(view, form);
    if ("runId" in result) return { goTo: `/runs/${result.runId}` };
    return "refused" in result
      ? refused(view, form, result.refused)
      : await show(view, await readFirstBackup(view, form, result.errors));
  });
}

/** Reminds a user of the first steps that are not done. Shows nothing if all are done. */
export function FirstStepsReminder({ view, steps }: { view: View; steps: readonly Step[] }) {
  const left = steps.filter(({ isDone }) => !isDone);
  if (left.length === 0) return null;
  return (
    <p class="notice">
      <Icon name="next" />
      <a href={view.path("/welcome")}>First steps</a>:{" "}
      {left.map(({ title }) => title.toLowerCase()).join(", ")}.
    </p>
  );
}
