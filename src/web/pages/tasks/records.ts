/** The API's records that the pages of tasks show. */
import type { Answer, Schema } from "../../../client/client.ts";
import type { DataOf } from "../../../client/client.ts";

export type BackupTask = Schema<"BackupTask">;
export type Backup = Schema<"Backup">;
export type TaskRun = Schema<"BackupTaskRun">;
export type Log = Schema<"BackupTaskLog">;
export type Server = Schema<"RemoteServer">;
export type Overview = Schema<"Overview">;

/** The last runs of tasks, by the task's id. */
export type Strips = ReadonlyMap<number, DataOf<"/api/history/strips">[number]["runs"]>;

export type BulkAnswer = Answer<"/api/backup-tasks/bulk", "post">["data"];

/** A record that a filter can choose. */
export interface Named {
  readonly id: number;
  readonly label: string;
}
