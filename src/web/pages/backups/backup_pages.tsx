/** The pages of backups: one backup, and what its buttons do. */
import { addPage, addSimpleAction } from "../../page.tsx";
import { path, type Site } from "../../site.ts";
import { exactTime } from "../../components/time.tsx";
import { BackupPage } from "./backup_page.tsx";
import { browseOf, listFiles } from "./browse.ts";
import { addBackupListPage } from "./list_page.tsx";
import { addFindPage } from "./find_page.tsx";
import { addBrowseAction } from "./browse_action.tsx";

/** Maximum number of runs on a backup's page. The page shows the last runs that read the backup. */
const SHOWN_CHECKS = 10;

export function addBackupPages(site: Site): void {
  addBackupListPage(site);
  addFindPage(site);
  addPage(site, "/backups/:id", async (view, parameter) => {
    const id = parameter("id");
    const backup = await view.get("/api/backups/{id}", { id });
    const browse = browseOf(view, backup, "backup");
    const isReadable = backup.is_listed && backup.deletes_at === null;
    const [listing, checks] = await Promise.all([
      isReadable ? listFiles(view, browse) : null,
      view.list("/api/backup-task-logs", { query: { backup_id: id, sort: "-id", per_page: SHOWN_CHECKS } }),
    ]);
    return {
      title: `Backup of ${exactTime(view, backup.created_at)}`,
      content: <BackupPage view={view} browse={browse} listing={listing} checks={checks.rows} />,
    };
  });
  addBrowseAction(site);
  addBackupActions(site);
}

function addBackupActions(site: Site): void {
  const backup = (parameter: (name: string) => string) => path`/api/backups/${parameter("id")}`;
  const run = (verb: string, done: string) =>
    addSimpleAction(site, `/backups/:id/${verb}`, {
      method: "POST",
      to: (parameter) => `${backup(parameter)}/${verb}`,
      body: () => ({}),
      done,
      goTo: ({ body }) => path`/runs/${body.backup_task_log_id}`,
    });
  run("verify", "The verification is queued.");
  run("drill", "The test restore is queued.");
  addSimpleAction(site, "/backups/:id/hold", {
    method: "POST",
    to: (parameter) => `${backup(parameter)}/hold`,
    body: (form) => ({ reason: form.text("reason").trim() || null }),
    done: "The backup is held.",
  });
  const remove = (verb: string, part: string, done: string) =>
    addSimpleAction(site, `/backups/:id/${verb}`, {
      method: "DELETE",
      to: (parameter) => `${backup(parameter)}${part}`,
      done,
    });
  remove("release", "/hold", "The backup is released. Its hold ends at the time that is shown.");
  remove("clear-suspicion", "/suspicion", "The backup is no longer suspicious.");
  remove("clear-damage", "/damage", "The backup is marked as intact.");
  remove("delete", "", "The backup is in the trash. It can be taken out until the time that is shown.");
  addSimpleAction(site, "/backups/:id/undelete", {
    method: "POST",
    to: (parameter) => `${backup(parameter)}/undelete`,
    done: "The backup is out of the trash.",
  });
}
