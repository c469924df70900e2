/** Records that the pages show: 1,000 tasks on 100 servers with 100,000 runs and 30,000 backups. */
import { deleteExpiredRows } from "../../src/services/installation/housekeeping.ts";
import type { TestApi } from "../../tests/support/clients/api.ts";
import type { Browser } from "../../tests/support/clients/browser.ts";
import { type Account, loggedIn, newAccount } from "../../tests/support/fixtures/accounts.ts";
import type { pagePaths } from "../../tests/support/fixtures/page_paths.ts";
import {
  newBackup,
  newDestination,
  newOutput,
  newRun,
  newServer,
  newTask,
} from "../../tests/support/fixtures/records.ts";
import { scaled } from "./stage.ts";

const SERVERS = 100;
const TASKS = 1000;
const HOUR = 3_600_000;

/** Returns a browser of the administrator, and the records whose pages to open. */
export async function plantFleet(
  api: TestApi,
): Promise<{ browser: Browser; account: Account; fleet: Parameters<typeof pagePaths>[0] }> {
  const { clock, database } = api;
  const account = await newAccount(api, true);
  const browser = await loggedIn(api, account);
  const create = async (path: string, body: unknown): Promise<number> => {
    const answer = await browser.call("POST", path, body);
    if (answer.status !== 201) throw new Error(`${path}: ${answer.text}`);
    return answer.body.data.id;
  };
  const serverId = await newServer(browser, { label: "server 1" });
  const destinationId = await newDestination(browser);
  const streamId = await create("/api/notification-streams", {
    label: "team",
    type: "webhook",
    value: "https://hooks.example.com/x",
  });
  const tagId = await create("/api/tags", { label: "production" });
  const scriptId = await create("/api/scripts", { label: "stop", type: "prescript", script: "true" });
  const taskId = await newTask(browser, {
    label: "task 1",
    remote_server_id: serverId,
    backup_destination_id: destinationId,
    tag_ids: [tagId],
    notification_stream_ids: [streamId],
    script_ids: [scriptId],
  });
  await multiply(api);
  const at = (hoursAgo: number) => new Date(clock.now().getTime() - hoursAgo * HOUR);
  const runId = await newRun(database, taskId, at(3), { warnings_count: 2 });
  for (let n = 1; n <= 20; n++) {
    await newOutput(database, runId, n, "12:00:00 a line of output\n".repeat(100));
  }
  const backupId = await newBackup(database, taskId, at(3), { run_id: runId });
  const failedRunId = await newRun(database, taskId, at(2), { state: "failed", reason: "no space" });
  const drillId = await newRun(database, taskId, at(1), { kind: "drill", backup_id: backupId });
  for (let merged = 0; merged < 6; merged++) await deleteExpiredRows(api.services);
  await database`vacuum analyze`;
  return {
    browser,
    account,
    fleet: {
      account,
      serverId,
      destinationId,
      taskId,
      runId,
      failedRunId,
      drillId,
      backupId,
      streamId,
      scriptId,
      tagId,
    },
  };
}

/** Copies the server and its task, and inserts their runs and backups: a run of some task each minute. */
async function multiply({ clock, database }: TestApi): Promise<void> {
  const now = clock.now();
  const [runs, backups] = [scaled(100_000), scaled(30_000)];
  await database`
    insert into remote_servers (user_id, label, ip_address, agent_key_hash, agent_enrolled_at, created_at, updated_at)
    select user_id, 'server ' || n, 'host' || n || '.example.com', md5('server' || n) || md5('key' || n), ${now}, ${now}, ${now}
    from remote_servers, generate_series(2, ${SERVERS}) as n`;
  await database`
    insert into backup_tasks (user_id, remote_server_id, backup_destination_id, label, type, source_settings, frequency,
      time_to_run_at, timezone, next_run_at, created_at, updated_at)
    select t.user_id, s.id, t.backup_destination_id, 'task ' || n, t.type, t.source_settings, t.frequency, t.time_to_run_at,
      t.timezone, t.next_run_at, t.created_at, t.updated_at
    from (select * from backup_tasks limit 1) t, generate_series(2, ${TASKS}) as n
    join (select id, row_number() over (order by id) as position from remote_servers) s
      on s.position = 1 + n % ${SERVERS}`;
  await database`
    insert into runs (user_id, workspace_id, kind, backup_task_id, remote_server_id, backup_destination_id, trigger, state,
      reason, attempt, output_compacted, created_at, started_at, finished_at)
    select t.user_id, t.workspace_id, 'backup', t.id, t.remote_server_id, t.backup_destination_id, 'schedule',
      case when n % 50 = 0 then 'failed' else 'succeeded' end, case when n % 50 = 0 then 'no space' end, 1, true,
      at, at, at
    from generate_series(1, ${runs}) as n
    join (select *, row_number() over (order by id) as position from backup_tasks) t on t.position = 1 + n % ${TASKS}
    cross join lateral (select ${now}::timestamptz - (${runs} - n) * interval '1 minute' as at) times`;
  await database`
    insert into backups (user_id, workspace_id, backup_task_id, run_id, backup_destination_id, remote_server_id, directory, file_name,
      size, sha256, engine, encrypted, bytes_read, warnings_count, duration_ms, created_at)
    select user_id, workspace_id, backup_task_id, id, backup_destination_id, remote_server_id, '/', 'backup_' || id, 1000,
      repeat('0', 64), 'tar', false, 1000, 0, 1000, created_at
    from runs where state = 'succeeded' order by id desc limit ${backups}`;
}
