/** A destination as the pages of destinations show it. */
import type { RowOf } from "../../../client/client.ts";

export type Destination = RowOf<"/api/backup-destinations">;
