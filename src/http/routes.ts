/** Lists every endpoint that is served and documented in OpenAPI. One line per file in `routes/`. */
import type { Endpoint } from "./endpoint.ts";
import { agentEndpoints } from "./routes/servers/agent.ts";
import { auditLogEndpoints } from "./routes/access/audit_log.ts";
import { backupFileEndpoints } from "./routes/backups/backup_files.ts";
import { backupCheckEndpoints } from "./routes/backups/backup_checks.ts";
import { backupDownloadEndpoints } from "./routes/backups/backup_downloads.ts";
import { backupDestinationEndpoints } from "./routes/destinations/backup_destinations.ts";
import { backupRetentionEndpoints } from "./routes/backups/backup_retention.ts";
import { backupTaskLogEndpoints } from "./routes/runs/backup_task_logs.ts";
import { backupTaskRunEndpoints } from "./routes/tasks/backup_task_runs.ts";
import { retentionPreviewEndpoints } from "./routes/backups/retention_previews.ts";
import { bulkActionEndpoints } from "./routes/tasks/bulk_actions.ts";
import { backupTaskScheduleEndpoints } from "./routes/tasks/backup_task_schedule.ts";
import { backupTaskEndpoints } from "./routes/tasks/backup_tasks.ts";
import { backupRestoreEndpoints } from "./routes/backups/backup_restores.ts";
import { backupEndpoints } from "./routes/backups/backups.ts";
import { deletedRecordEndpoints } from "./routes/tasks/deleted_records.ts";
import { destinationCheckEndpoints } from "./routes/destinations/destination_checks.ts";
import { destinationUsageEndpoints } from "./routes/destinations/destination_usage.ts";
import { enrolmentEndpoints } from "./routes/servers/enrolment.ts";
import { notificationDeliveryEndpoints } from "./routes/notifications/notification_deliveries.ts";
import { liveEndpoints } from "./routes/live/live.ts";
import { loginEndpoints } from "./routes/access/login.ts";
import { openidEndpoints } from "./routes/access/openid.ts";
import { logLineEndpoints } from "./routes/runs/log_lines.ts";
import { logStreamEndpoints } from "./routes/runs/log_streams.ts";
import { logWarningEndpoints } from "./routes/runs/log_warnings.ts";
import { notificationStreamEndpoints } from "./routes/notifications/notification_streams.ts";
import { passkeyEndpoints } from "./routes/access/passkeys.ts";
import { installationEndpoints } from "./routes/installation/installation.ts";
import { recoveryKitEndpoints } from "./routes/installation/recovery_kit.ts";
import { overviewEndpoints } from "./routes/tasks/overview.ts";
import { remoteServerEndpoints } from "./routes/servers/remote_servers.ts";
import { plannedWeekEndpoints } from "./routes/tasks/planned_week.ts";
import { schedulePreviewEndpoints } from "./routes/tasks/schedule_previews.ts";
import { historyEndpoints } from "./routes/history/history.ts";
import { scriptEndpoints } from "./routes/tasks/scripts.ts";
import { sessionEndpoints } from "./routes/access/sessions.ts";
import { secondFactorEndpoints } from "./routes/access/second_factor.ts";
import { serverDatabaseEndpoints } from "./routes/servers/server_databases.ts";
import { serverInventoryEndpoints } from "./routes/servers/server_inventories.ts";
import { serverFileEndpoints } from "./routes/servers/server_files.ts";
import { sshKeyEndpoints } from "./routes/servers/ssh_key.ts";
import { systemEndpoints } from "./routes/installation/system.ts";
import { taskFileEndpoints } from "./routes/tasks/task_files.ts";
import { taskTagEndpoints } from "./routes/tasks/task_tags.ts";
import { tagEndpoints } from "./routes/tasks/tags.ts";
import { tokenEndpoints } from "./routes/access/tokens.ts";
import { workspaceMemberEndpoints } from "./routes/access/workspace_members.ts";
import { workspaceEndpoints } from "./routes/access/workspaces.ts";
import { triggerEndpoints } from "./routes/tasks/triggers.ts";
import { userEndpoints } from "./routes/access/user.ts";
import { usersEndpoints } from "./routes/access/users.ts";

export const ENDPOINTS: readonly Endpoint[] = [
  ...overviewEndpoints,
  ...historyEndpoints,
  ...liveEndpoints,
  ...backupTaskScheduleEndpoints,
  ...schedulePreviewEndpoints,
  ...plannedWeekEndpoints,
  ...bulkActionEndpoints,
  ...backupTaskEndpoints,
  ...backupTaskRunEndpoints,
  ...taskTagEndpoints,
  ...triggerEndpoints,
  ...backupTaskLogEndpoints,
  ...logLineEndpoints,
  ...logStreamEndpoints,
  ...logWarningEndpoints,
  ...backupEndpoints,
  ...backupDownloadEndpoints,
  ...backupFileEndpoints,
  ...taskFileEndpoints,
  ...backupRestoreEndpoints,
  ...backupCheckEndpoints,
  ...backupRetentionEndpoints,
  ...retentionPreviewEndpoints,
  ...remoteServerEndpoints,
  ...serverFileEndpoints,
  ...serverDatabaseEndpoints,
  ...serverInventoryEndpoints,
  ...enrolmentEndpoints,
  ...agentEndpoints,
  ...backupDestinationEndpoints,
  ...destinationCheckEndpoints,
  ...destinationUsageEndpoints,
  ...notificationStreamEndpoints,
  ...notificationDeliveryEndpoints,
  ...tagEndpoints,
  ...deletedRecordEndpoints,
  ...scriptEndpoints,
  ...tokenEndpoints,
  ...loginEndpoints,
  ...openidEndpoints,
  ...sessionEndpoints,
  ...secondFactorEndpoints,
  ...passkeyEndpoints,
  ...userEndpoints,
  ...usersEndpoints,
  ...workspaceEndpoints,
  ...workspaceMemberEndpoints,
  ...sshKeyEndpoints,
  ...systemEndpoints,
  ...installationEndpoints,
  ...recoveryKitEndpoints,
  ...auditLogEndpoints,
];

/** The descriptions of the groups in the OpenAPI document. */
export const GROUPS: Readonly<Record<string, string>> = {
  "Agents": "Endpoints for agents; API tokens are not accepted.",
  "Backup destinations": "Where backups are stored.",
  "Backup task logs": "One record for each run.",
  "Backup tasks": "Plans: what is backed up, when, and to where.",
  "Backups": "The backups that successful runs stored.",
  "History": "How runs, storage and connections changed over time.",
  "Changes": "What changes in the workspace, as it happens.",
  "Deleted records": "Records whose deletion can still be undone.",
  "Log-in": "Log-in with a browser, the session and the password.",
  "Notification streams": "Recipients of messages about runs.",
  "Overview": "Whether everything is protected.",
  "Passkeys": "The caller's own passkeys.",
  "Remote servers": "The machines whose data is backed up.",
  "Scripts": "What agents run before and after backups.",
  "Sessions": "The caller's own log-in sessions.",
  "SSH key": "The control plane's own key.",
  "System": "Health, metrics and this document.",
  "Tags": "Labels for backup tasks.",
  "Tokens": "The caller's own API tokens.",
  "User": "The caller's own account.",
  "Users": "All accounts, for administrators.",
  "Workspaces": "Groups of records, and the users who share them.",
};
