/** The API's records that the pages of tasks show. */
import type { Schema } from "../../../client/types.ts";

export type BackupTask = Schema<"BackupTask">;
export type Overview = Schema<"Overview">;

/** A record that a filter can choose. */
export interface Named {
  readonly id: number;
  readonly label: string;
}
