/** Fields of a backup task that say how its runs work and are watched, and how its backups are checked. */
import * as z from "zod";
import { GUARD_ACTIONS, type GuardAction, HISTORY_LENGTH, HISTORY_MINIMUM } from "../domain/guards/guard.ts";
import { MINIMUM_BYTES_READ, SHARP_RISE } from "../domain/guards/incompressible.ts";
import { DEFAULT_ACTIONS, GUARD_NAMES, type GuardName } from "../domain/guards/registry.ts";
import { defineFields } from "./fields/field.ts";
import { integer } from "./formats/text.ts";

/** Maximum value of a field whose unit is seconds: one year. */
const MAX_SECONDS = 31_536_000;

const seconds = { schema: integer(1, MAX_SECONDS), placeholder: "seconds" };
const days = { schema: integer(0, 3650), placeholder: "days" };

/** Schemas of the action of each guard. */
const ACTIONS = Object.fromEntries(
  GUARD_NAMES.map((name) => [name, z.enum(GUARD_ACTIONS).optional()]),
) as Record<GuardName, z.ZodOptional<z.ZodEnum<{ [A in GuardAction]: A }>>>;

export const TASK_RUN_FIELDS = defineFields({
  run_timeout: {
    schema: integer(1),
    help: "seconds after which a run is stopped",
    description: "Seconds after which a run is stopped. Default: none.",
    placeholder: "seconds",
  },
  stall_warning: {
    ...seconds,
    help: "seconds without progress after which a run is reported; by default 15 minutes",
    description:
      "Seconds without progress of a run after which its owner is notified, and `why` shows what it " +
      "waits for. Null: the control plane's default (`RUN_STALL_WARNING_SECONDS`, 15 minutes).",
  },
  stall_timeout: {
    ...seconds,
    help: "seconds without progress after which a run fails; by default 6 hours",
    description: "Seconds without progress after which a run fails. Null: the control plane's default " +
      "(`RUN_STALL_TIMEOUT_SECONDS`, 6 hours).",
  },
  lock_wait_timeout: {
    ...seconds,
    help: "seconds that a dump waits for a lock; by default 30 minutes",
    description:
      "Seconds that a dump waits for a lock in its database before the run fails. Null: the control " +
      "plane's default (`RUN_LOCK_WAIT_SECONDS`, 30 minutes).",
  },
  overdue_after: {
    ...seconds,
    help: "seconds in the queue after which a run is reported; by default an hour",
    description:
      "Seconds that a run may be queued before its owner is notified. Null: the control plane's default " +
      "(`RUN_OVERDUE_SECONDS`, an hour).",
  },
  max_age: {
    ...seconds,
    help: "seconds that the newest backup may be old; by default as the schedule promises",
    description:
      "Seconds that the task's newest backup may be old before the task is `late`. Null: a backup is due " +
      "within a quarter of the interval after each due time (15 minutes to 6 hours) and twice the time that " +
      "the last one took; on an `intermittent` server within 7 days, or three intervals if that is longer.",
    example: 172800,
  },
  guards: {
    schema: z.object(ACTIONS),
    help: "what happens if a guard finds a backup wrong, by guard",
    description:
      "`warn`, `fail` or `ignore` by guard; docs/guide/anomalies.md lists the guards. Guards that " +
      "are left out stay as they are. `on_shrink` and `on_incompressible` are its entries `shrink` and " +
      "`incompressible`, and take precedence.",
    placeholder: "name=action",
    default: DEFAULT_ACTIONS,
  },
  on_shrink: {
    schema: z.enum(GUARD_ACTIONS),
    help: "what happens if a backup is much smaller than the last ones",
    description:
      "When a backup has fewer files, or fewer bytes read or stored, than half of the median of the " +
      `task's last ${HISTORY_LENGTH} backups (at least ${HISTORY_MINIMUM}, of the source as it is ` +
      "defined now): warn, fail the run and store nothing, or ignore it. Default `warn`.",
    example: "fail",
    placeholder: "action",
    default: DEFAULT_ACTIONS.shrink,
    entryOf: { field: "guards", key: "shrink" },
  },
  on_incompressible: {
    schema: z.enum(GUARD_ACTIONS),
    help: "what happens if a backup compresses much worse than the last ones",
    description:
      "When data that used to compress no longer does, as after ransomware: the stored size per byte read, or " +
      `the share of frames that don't compress, is at least ${SHARP_RISE} above that median, and more is ` +
      "stored than the median. `warn`, the default, also flags the backup and keeps older ones from " +
      `rotation; \`fail\` stores nothing. Backups of less than ${
        MINIMUM_BYTES_READ / 1e6
      } MB are not judged.`,
    placeholder: "action",
    default: DEFAULT_ACTIONS.incompressible,
    entryOf: { field: "guards", key: "incompressible" },
  },
  compression_level: {
    schema: integer(0, 19),
    help: "zstd level of archives, from 1 (fast) to 19 (small); 0 stores them uncompressed",
    description:
      "zstd level of archives, from 1 (fast) to 19 (small). 0 stores the bytes uncompressed, in zstd's " +
      "format. A change starts the history anew that guards compare with. Default 3. An agent older than " +
      "this field uses 3.",
    example: 9,
    placeholder: "level",
    default: 3,
    definesSource: true,
    isSentToAgent: true,
  },
  compression_threads: {
    schema: integer(1, 64),
    help: "threads that compress; above level 9 each needs up to 170 MB of memory",
    description:
      "Threads that compress, at most one for each processor. A thread needs about 16 MB of memory up to " +
      "level 9, 70 MB up to 12, 90 MB up to 16, 170 MB above. Null: one for each processor, at most 8, 3, " +
      "2 and 1 at these levels.",
    example: 2,
    placeholder: "count",
    isSentToAgent: true,
  },
  verify_every: {
    ...days,
    help: "days after which each stored backup is read back; 0 for never",
    description: "Days after which each stored backup is read back and verified, one at a " +
      "time on a server. 0: only on demand. Default 7.",
    example: 7,
    default: 7,
  },
  drill_every: {
    ...days,
    help: "days after which the newest backup is restored as a drill; 0 for never",
    description: "Days after which the newest backup is restored in a drill, compared with what was " +
      "stored, and removed again: files in a temporary directory, databases in scratch databases. 0: never. " +
      "Default 30. Not of a backup that is encrypted to recipients, nor of the control plane's own " +
      "state.",
    example: 30,
    default: 30,
  },
});
