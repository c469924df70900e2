/** The first steps of an installation, from the password to the first proven restore. */
import type { Answer } from "../../../client/client.ts";
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
  /**
   * Id of the newest backup run, as long as no backup is stored. Null if a backup is stored or no run exists.
   */
  readonly runId: number | null;
}

/** The facts by which steps count as done. */
interface Facts {
  /** Null for users who are no administrators. */
  readonly kit: Answer<"/api/recovery-kit/status">["data"] | null;
  readonly hasServer: boolean;
  readonly hasBackup: boolean;
  readonly hasRestore: boolean;
  readonly hasAlerts: boolean;
}

export async function readProgress(view: View): Promise<Progress> {
  const [kit, servers, backups, hasRestore, hasAlerts] = await Promise.all([
    readKit(view),
    view.list("/api/remote-servers", { query: { status: "connected", per_page: 1 } }),
    view.list("/api/backups", { query: { per_page: 1, sort: "-id" } }),
    readHasRestore(view),
    readHasAlerts(view),
  ]);
  const hasBackup = backups.total > 0;
  const hasServer = servers.total > 0;
  const steps = stepsOf(view, { kit, hasServer, hasBackup, hasRestore, hasAlerts });
  const runs = hasBackup
    ? null
    : await view.list("/api/backup-task-logs", { query: { kind: "backup", per_page: 1, sort: "-id" } });
  return {
    steps,
    next: steps.find(({ isDone }) => !isDone)?.name ?? null,
    backupId: backups.rows[0]?.id ?? null,
    runId: runs?.rows[0]?.id ?? null,
  };
}

/** Reads whether an administrator has kept the recovery kit; null if the user is no administrator. */
export async function readKit(view: View): Promise<Facts["kit"]> {
  return view.user.isAdmin ? await view.get("/api/recovery-kit/status") : null;
}

export async function readHasRestore(view: View): Promise<boolean> {
  const query = { kind: "restore", status: "successful", per_page: 1 } as const;
  return (await view.list("/api/backup-task-logs", { query })).total > 0;
}

export async function readHasAlerts(view: View): Promise<boolean> {
  return (await view.list("/api/notification-streams", { query: { per_page: 1 } })).total > 0;
}

export function stepsOf(view: View, facts: Facts): Step[] {
  const { kit, hasServer, hasBackup, hasRestore, hasAlerts } = facts;
  return [
    { name: "login", title: "Make your log-in safe", isDone: view.user.hasSecondFactor },
    ...kit === null
      ? []
      : [{ name: "kit" as const, title: "Keep the recovery kit", isDone: kit.kept_at !== null }],
    { name: "server", title: "Connect a server", isDone: hasServer },
    { name: "backup", title: "Make the first backup", isDone: hasBackup },
    { name: "restore", title: "Restore a file from it", isDone: hasRestore },
    { name: "alerts", title: "Be told when a backup fails", isDone: hasAlerts },
  ];
}
