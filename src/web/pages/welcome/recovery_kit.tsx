/** The page `/installation/recovery-kit`: the recovery kit, to print. */
import type { Answer } from "../../../client/client.ts";
import { PostButton } from "../../components/form.tsx";
import { Mark } from "../../components/status.tsx";
import { ExactTime } from "../../components/time.tsx";
import { addPage, addSimpleAction } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Site } from "../../site.ts";
import { PageError, type View } from "../../view.ts";

type Kit = Answer<"/api/recovery-kit">["data"];
type Status = Answer<"/api/recovery-kit/status">["data"];

function RecoveryKitPage({ view, kit, status }: { view: View; kit: Kit; status: Status }) {
  return (
    <>
      <PageHeading
        view={view}
        title="Recovery kit"
        trail={[{ label: "Installation", path: "/installation" }]}
        lead="What you need to restore without this control plane. It holds no secret. Print it with Ctrl-P."
      >
        <PostButton
          view={view}
          action="/installation/recovery-kit/kept"
          label="I keep a copy elsewhere"
          look="primary"
          icon="good"
        />
      </PageHeading>
      <KitStatus view={view} status={status} />
      <section class="section" aria-labelledby="program">
        <h2 id="program">The program</h2>
        <ul>
          <li>
            Rearguard {kit.program.version} with Deno {kit.program.deno}, in{" "}
            <code>{kit.program.directory}</code>. Keep a copy.
          </li>
          <li>Its database: {kit.database}</li>
          <li>
            Made <ExactTime view={view} at={kit.made_at} />
          </li>
        </ul>
      </section>
      <section class="section" aria-labelledby="keep">
        <h2 id="keep">What to keep beside this page</h2>
        <ul>
          <li>
            The secret key: {kit.secret_key.place}. Stored secrets are sealed with the key{" "}
            {kit.secret_key.key_ids.join(", ") || "(none yet)"}.
          </li>
          <li>The encryption passwords of tasks, and the secret keys (age) of recipients.</li>
          <li>The credentials of each destination: what the control plane knows of them is sealed.</li>
        </ul>
      </section>
      <section class="section" aria-labelledby="own">
        <h2 id="own">Backups of the control plane itself</h2>
        {kit.control_plane.length === 0
          ? (
            <p>
              <Mark icon="warn" tone="warn" text="None." />{" "}
              Add a task of the type “control plane”. Until then, only the manifests beside the backups tell
              what there is.
            </p>
          )
          : (
            <ul>
              {kit.control_plane.map(({ file_name, place, created_at, encryption }) => (
                <li key={file_name}>
                  <code>{file_name}</code>, {place} (<ExactTime view={view} at={created_at} />; encryption:
                  {" "}
                  {encryption})
                </li>
              ))}
            </ul>
          )}
      </section>
      <section class="section" aria-labelledby="places">
        <h2 id="places">Destinations</h2>
        {kit.destinations.length === 0 ? <p class="muted">None yet.</p> : (
          <ul>
            {kit.destinations.map((each) => (
              <li key={each.id}>
                {each.label} ({each.owner}): {each.place}; {each.backups_count} backups, the newest of{" "}
                <ExactTime view={view} at={each.newest_backup_at} none="never" />
                {each.needs_password ? "; some need a password" : ""}
                {each.recipients.map((recipient) => (
                  <span key={recipient}>
                    ; opened by the secret key of <code>{recipient}</code>
                  </span>
                ))}
              </li>
            ))}
          </ul>
        )}
      </section>
      <section class="section" aria-labelledby="commands">
        <h2 id="commands">What to type</h2>
        {kit.commands.map(({ purpose, lines }) => (
          <div key={purpose} class="section">
            <p>{purpose}:</p>
            <pre tabindex={0}>{lines.join("\n")}</pre>
          </div>
        ))}
      </section>
    </>
  );
}

function KitStatus({ view, status }: { view: View; status: Status }) {
  if (status.kept_at === null) {
    return <Mark icon="warn" tone="warn" text="Nobody has confirmed yet that a copy is kept." />;
  }
  return (
    <div>
      <Mark
        icon={status.is_current ? "good" : "warn"}
        tone={status.is_current ? "good" : "warn"}
        text={status.is_current ? "A copy is kept since" : "The kept copy is out of date. It is of"}
      />{" "}
      <ExactTime view={view} at={status.kept_at} />
      {status.missing.map((sentence) => <p key={sentence}>{sentence}</p>)}
    </div>
  );
}

export function addRecoveryKitPage(site: Site): void {
  addPage(site, "/installation/recovery-kit", async (view) => {
    const answer = await view.call("GET", "/api/recovery-kit");
    if (answer.body?.step_up_required === true) {
      return site.redirect(view.c, "/login/step-up?next=/installation/recovery-kit");
    }
    if (answer.status !== 200) throw new PageError(answer.status, answer.message ?? "");
    const status = await view.get("/api/recovery-kit/status");
    const content = <RecoveryKitPage view={view} kit={answer.body.data} status={status} />;
    return { title: "Recovery kit", content };
  });
  addSimpleAction(site, "/installation/recovery-kit/kept", {
    method: "POST",
    to: () => "/api/recovery-kit/kept",
    done: "Noted. You are reminded when a destination or the secret key changes.",
    goTo: () => "/welcome",
  });
}
