/** The first steps of an installation, from the password to the first proven restore. */
import type { View } from "../../view.ts";

export type StepName = "login" | "kit" | "server" | "backup" | "restore" | "alerts";

export interface Step {
  readonly name: StepName;
  readonly title: string;
  readonly isDone: boolean;
}

/** The user's progress in the first steps. */
export interface Progress {
  readonly steps: readonly Step[];
  /** The first step that is not done; null if all are. */
  readonly next: StepName | null;
  /** Id of a backup to restore from; null if there is none. */
  readonly backupId: number | null;
  /** Id of the run of the first backup, while no backup is stored; null if there is none. */
  readonly runId: number | null;
}

export async function readProgress(view: View): Promise<Progress> {
  const [session, kit, servers, backups, runs, restores, streams] = await Promise.all([
    view.get("/api/session"),
    view.user.isAdmin ? view.get("/api/recovery-kit/status") : null,
    view.list("/api/remote-servers", { query: { per_page: 100 } }),
    view.list("/api/backups", { query: { per_page: 1, sort: "-id" } }),
    view.list("/api/backup-task-logs", { query: { kind: "backup", per_page: 1, sort: "-id" } }),
    view.list("/api/backup-task-logs", {
      query: { kind: "restore", status: "successful", per_page: 1 },
    }),
    view.list("/api/notification-streams", { query: { per_page: 1 } }),
  ]);
  const { enabled, has_passkey } = session.second_factor;
  const steps: Step[] = [
    { name: "login", title: "Make your log-in safe", isDone: enabled || has_passkey },
    ...kit === null
      ? []
      : [{ name: "kit" as const, title: "Keep the recovery kit", isDone: kit.kept_at !== null }],
    {
      name: "server",
      title: "Connect a server",
      isDone: servers.rows.some(({ status }) => status.connectivity === "connected"),
    },
    { name: "backup", title: "Make the first backup", isDone: backups.total > 0 },
    { name: "restore", title: "Restore a file from it", isDone: restores.total > 0 },
    { name: "alerts", title: "Be told when a backup fails", isDone: streams.total > 0 },
  ];
  return {
    steps,
    next: steps.find(({ isDone }) => !isDone)?.name ?? null,
    backupId: backups.rows[0]?.id ?? null,
    runId: backups.total > 0 ? null : runs.rows[0]?.id ?? null,
  };
}
