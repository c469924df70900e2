/** Every endpoint of the API: what is served and what the OpenAPI document describes. One line a file in `routes/`. */
import type { Endpoint } from "./endpoint.ts";
import { backupDestinationEndpoints } from "./routes/backup_destinations.ts";
import { backupTaskLogEndpoints } from "./routes/backup_task_logs.ts";
import { backupTaskRunEndpoints } from "./routes/backup_task_runs.ts";
import { backupTaskScheduleEndpoints } from "./routes/backup_task_schedule.ts";
import { backupTaskEndpoints } from "./routes/backup_tasks.ts";
import { backupEndpoints } from "./routes/backups.ts";
import { enrolmentEndpoints } from "./routes/enrolment.ts";
import { remoteServerEndpoints } from "./routes/remote_servers.ts";
import { tagEndpoints } from "./routes/tags.ts";
import { tokenEndpoints } from "./routes/tokens.ts";
import { userEndpoints } from "./routes/user.ts";
import { usersEndpoints } from "./routes/users.ts";

export const ENDPOINTS: readonly Endpoint[] = [
  ...backupTaskScheduleEndpoints,
  ...backupTaskEndpoints,
  ...backupTaskRunEndpoints,
  ...backupTaskLogEndpoints,
  ...backupEndpoints,
  ...remoteServerEndpoints,
  ...enrolmentEndpoints,
  ...backupDestinationEndpoints,
  ...tagEndpoints,
  ...tokenEndpoints,
  ...userEndpoints,
  ...usersEndpoints,
];
