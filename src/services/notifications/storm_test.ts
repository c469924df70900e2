import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import { newRun } from "../../../tests/support/fixtures/records.ts";
import { type ChannelFixture, channelFixtures } from "../../../tests/support/servers/channels.ts";
import { NOTIFICATION_STREAM_TYPES, type NotificationStreamType } from "../../notify/channels/registry.ts";
import { Notifier } from "../../notify/notifier.ts";
import { transaction } from "../../store/database/database.ts";
import { lockRuns } from "../../store/runs/runs.ts";
import { notifyBackupStored, notifyFailure } from "../runs/run_notifications.ts";

const TASKS = 200;
const MINUTE = 60_000;

/**
 * Number of messages that a stream of each type gets. The first number is for an hour in which 200 tasks fail
 * each minute. The second number is for the recovery, when all tasks succeed. Services with little room for
 * text need more messages. The guide has the same numbers.
 */
const MESSAGES: Readonly<Partial<Record<NotificationStreamType, [failing: number, recovery: number]>>> = {
  email: [1, 1],
  discord_webhook: [10, 10],
  slack_webhook: [8, 8],
  teams_webhook: [4, 4],
  pushover: [23, 23],
  ntfy: [16, 16],
  telegram: [6, 6],
  webhook: [1, 1],
};

Deno.test("200 tasks that fail each minute for an hour send few messages to each channel, and name every task once", async () => {
  await using stack = new AsyncDisposableStack();
  const { clock, database, services } = stack.use(await testServices());
  const { caller, taskId } = await plant(services);
  await database`
    insert into backup_tasks (user_id, workspace_id, remote_server_id, backup_destination_id, label, type, source_path,
      frequency, time_to_run_at, timezone, promised_at, created_at, updated_at)
    select user_id, workspace_id, remote_server_id, backup_destination_id, 'shop ' || n || '.', type, source_path,
      frequency, time_to_run_at, timezone, promised_at, created_at, updated_at
    from backup_tasks, generate_series(2, ${TASKS}::int) n where id = ${taskId}`;
  await database`update backup_tasks set label = 'shop 1.' where id = ${taskId}`;
  const tasks = await database<
    { id: number; label: string }[]
  >`select id, label from backup_tasks order by id`;
  const fixtures = new Map<NotificationStreamType, ChannelFixture>();
  for (const type of NOTIFICATION_STREAM_TYPES.filter((type) => type !== "healthchecks")) {
    const fixture = stack.use(await channelFixtures[type]());
    fixtures.set(type, fixture);
    const streamId = await newStream(services, { userId: caller.userId, taskId: null }, {
      type,
      value: fixture.value,
      on_success: false,
    });
    await database`
      insert into backup_task_notification_streams (backup_task_id, notification_stream_id)
      select id, ${streamId} from backup_tasks`;
  }
  const addressOf = (type: "pushover" | "telegram") => fixtures.get(type)!.means.addresses![type]!;
  const notifier = new Notifier({
    ...services,
    smtp: fixtures.get("email")!.means.smtp!,
    addresses: { pushover: addressOf("pushover"), telegram: addressOf("telegram") },
  });
  const ids: number[] = [];
  for (const { id } of tasks) ids.push(await newRun(database, id, clock.now()));
  const eachRun = async (report: "failure" | "success") => {
    await transaction(database, async (sql) => {
      const now = clock.now();
      const ended = { created_at: now, started_at: now, finished_at: now, reason: null };
      const about = { wasLost: false, backupId: 0, findings: [], missing: [] };
      await Promise.all(
        (await lockRuns(sql, ids)).map((run) =>
          report === "failure"
            ? notifyFailure(
              services,
              sql,
              { ...run, ...ended, state: "failed", reason: "The disk is full." },
              {
                before: "running",
                damage: null,
              },
            )
            : notifyBackupStored(services, sql, { ...run, ...ended, state: "succeeded" }, about)
        ),
      );
    });
  };
  const counts = (): Record<string, number> =>
    Object.fromEntries(
      [...fixtures].map(([type, fixture]) => [type, fixture.http?.received.length ?? fixture.shown().length]),
    );
  const anHour = async (report: (minute: number) => Promise<void>) => {
    for (let minute = 0; minute < 60; minute++) {
      await report(minute);
      await notifier.deliverDue();
      await clock.advance(MINUTE);
    }
    return counts();
  };
  const failing = await anHour(() => eachRun("failure"));
  for (const [type, fixture] of fixtures) {
    const text = fixture.shown().map(({ text }) => text).join("\n");
    assert.deepEqual(
      tasks.filter(({ label }) => text.split(label).length !== 2).map(({ label }) => label),
      [],
      `${type} does not name each task once`,
    );
  }
  const all = await anHour(async (minute) => {
    if (minute === 0) await eachRun("success");
  });
  const messages = Object.keys(all).map((type) => [type, [failing[type]!, all[type]! - failing[type]!]]);
  assert.deepEqual(Object.fromEntries(messages), MESSAGES);
});
