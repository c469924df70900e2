/** The API's records that the pages of tasks show. */
import type { Schema } from "../../../client/types.ts";
import type { DataOf } from "../../api_path.ts";

export type BackupTask = Schema<"BackupTask">;
export type Overview = Schema<"Overview">;

/** The last runs of tasks, by the task's id. */
export type Strips = ReadonlyMap<number, DataOf<"/api/history/strips">[number]["runs"]>;

/** A record that a filter can choose. */
export interface Named {
  readonly id: number;
  readonly label: string;
}
