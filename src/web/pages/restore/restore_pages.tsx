/** The pages of a restore: `/restore` with its steps, and the action that starts it. */
import { type ActionResult, addAction, addPage, type PageContent, refused } from "../../page.tsx";
import { type Form, path, type Site } from "../../site.ts";
import { PageError, type View } from "../../view.ts";
import { type Backup, browseOf, listFiles } from "../backups/browse.ts";
import { hasPlace, RestoreCheck } from "./check.tsx";
import { ChooseBackup, ChooseTask } from "./choose.tsx";
import { askPreview } from "./preview.tsx";
import { fieldsOf, type Plan, planBody, planOf, stepPath } from "./plan.ts";
import { listServers } from "./servers.ts";
import { RestoreWhat } from "./what.tsx";
import { RestoreWhere } from "./where.tsx";

const TITLE = "Restore";

export function addRestorePages(site: Site): void {
  addPage(site, "/restore", async (view) => {
    if (!view.may("restore-backups")) throw new PageError(403, "Only restorers and managers can restore.");
    const id = view.query("backup_id");
    if (id !== "") return await step(view, await view.get("/api/backups/{id}", { id }));
    const taskId = view.query("task_id");
    return {
      title: TITLE,
      content: taskId === "" ? await ChooseTask({ view }) : await ChooseBackup({ view, taskId }),
    };
  });
  // A preview can need a recipient's secret key, which must not be in an address. So a form sends the key,
  // and the preview is the response to the form.
  addAction(site, "/restore/check", async (view, form) => {
    const backup = await view.get("/api/backups/{id}", { id: form.text("backup_id") });
    return await checkPage(view, planOf(backup, form), { identity: form.text("identity").trim() });
  });
  // After a form was sent, the browser shows the form's address. If the browser requests this address with
  // GET, for example to load the page again, it gets `/restore`.
  for (const route of ["/restore/check", "/restore/start"]) {
    site.app.get(route, (c) => site.redirect(c, "/restore"));
  }
  addAction(site, "/restore/start", async (view, form) => {
    const backup = await view.get("/api/backups/{id}", { id: form.text("backup_id") });
    return await start(view, form, planOf(backup, form));
  });
}

async function step(view: View, backup: Backup): Promise<PageContent> {
  if (backup.restore_refusal !== null) throw new PageError(409, backup.restore_refusal);
  const plan = planOf(backup, fieldsOf(view));
  const isChosen = !plan.selection.isEmpty || plan.databases.length > 0;
  switch (view.query("step") || (isChosen ? "where" : "what")) {
    case "where":
      return await wherePage(view, plan);
    case "check":
      if (!hasPlace(plan)) return await wherePage(view, plan, NO_DIRECTORY);
      return await checkPage(view, plan);
    default: {
      const browse = browseOf(view, backup, "restore");
      const listing = backup.is_listed ? await listFiles(view, browse) : null;
      return { title: TITLE, content: <RestoreWhat view={view} browse={browse} listing={listing} /> };
    }
  }
}

const NO_DIRECTORY = { target_path: "Enter the directory to restore into, such as /srv/restored." };

async function wherePage(
  view: View,
  plan: Plan,
  errors: Readonly<Record<string, string>> = {},
): Promise<PageContent> {
  const servers = await listServers(view);
  return {
    title: TITLE,
    content: <RestoreWhere view={view} plan={plan} servers={servers} errors={errors} />,
    status: Object.keys(errors).length === 0 ? 200 : 422,
  };
}

interface CheckChoice {
  readonly identity?: string;
  /** Why the restore did not start. If this is set, the agent is not asked for a preview again. */
  readonly problem?: string;
  readonly errors?: Readonly<Record<string, string>>;
}

async function checkPage(view: View, plan: Plan, choice: CheckChoice = {}): Promise<PageContent> {
  const { identity = "", problem = null } = choice;
  const isAsked = problem === null && (plan.backup.encryption !== "recipients" || identity !== "");
  const [servers, asked] = await Promise.all([
    listServers(view),
    isAsked ? askPreview(view, plan, identity) : { preview: null, problem, errors: choice.errors ?? {} },
  ]);
  const errors = asked.preview === null ? asked.errors : {};
  const isWrong = Object.keys(errors).length > 0;
  if (isAsked && isWrong && errors.identity === undefined) return await wherePage(view, plan, errors);
  const check = {
    view,
    plan,
    server: servers.find(({ id }) => id === plan.serverId),
    preview: asked.preview,
    problem: asked.problem,
    identity: errors.identity === undefined ? identity : "",
    errors,
  };
  return {
    title: TITLE,
    content: <RestoreCheck {...check} />,
    status: isWrong || problem !== null ? 422 : 200,
  };
}

async function start(view: View, form: Form, plan: Plan): Promise<ActionResult> {
  const identity = form.text("identity").trim();
  const answer = await view.call("POST", path`/api/backups/${plan.backup.id}/restore`, {
    body: { ...planBody(plan), ...identity === "" ? {} : { identity } },
    csrf: form.text("csrf_token"),
  });
  if (answer.status < 300) {
    return { goTo: path`/runs/${answer.body.backup_task_log_id}` };
  }
  if (answer.status === 403) return refused(view, form, answer, stepPath("check", plan));
  const { identity: key, ...others } = answer.errors;
  if (answer.status === 422 && key === undefined && Object.keys(others).length > 0) {
    return await wherePage(view, plan, others);
  }
  const problem = key ?? answer.message ?? "The control plane did not answer.";
  return await checkPage(view, plan, { problem, errors: answer.errors });
}
