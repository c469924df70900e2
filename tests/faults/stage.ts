/**
 * Carries out a plan in a world: creates its tasks, starts its runs, and injects its faults at their times.
 * Then repairs everything.
 */
import { systemClock } from "../../src/domain/clock.ts";
import type { Frame } from "./frames.ts";
import type { Action, FrameAction, FrameMoment, Plan, PlannedFault, PlannedTask } from "./plan.ts";
import type { Relay } from "./relay.ts";
import type { FaultCounts } from "./fault_counts.ts";
import type { Side } from "./wire.ts";
import type { World } from "./world.ts";

export interface StagedTask extends PlannedTask {
  readonly id: number;
  readonly storePath: string;
  /** Time at which the task was created, on the database's clock. */
  readonly createdAt: Date;
  /** Due times that the plan has set. The plan always sets a due time to the current time. */
  readonly broughtForward: Date[];
  /** Due times that the plan tried to set while the database failed. It is unknown whether they were set. */
  readonly perhapsForward: Date[];
}

/**
 * How long a plan continues after its last run or fault, in milliseconds. Frames can still arrive in this
 * time.
 */
const AFTERMATH = 1500;
/**
 * Schedules of tasks. A task with runs by schedule has `EACH_MINUTE`, so it is due each minute. But the plan
 * itself sets most of its due times. All other tasks have `NEVER_BY_ITSELF`.
 */
const EACH_MINUTE = "* * * * *";
const NEVER_BY_ITSELF = { frequency: "weekly", time_to_run_at: "03:00" };

export class Stage {
  readonly tasks: StagedTask[] = [];
  readonly #pending = new Set<Promise<void>>();
  /**
   * Faults that happen at frames. `left` is the number of matching frames that remain until the fault
   * happens.
   */
  readonly #faults: { action: PlannedFault["action"]; moment: FrameMoment; left: number }[] = [];
  #isPostgresDown = false;
  /** The time when each run was first seen past its deadline, in monotonic milliseconds, by the run's id. */
  readonly overdue = new Map<number, number>();
  /** The ids of runs that went on for too long after their deadline. */
  readonly late = new Set<number>();
  /** Messages of failures of the harness itself. */
  readonly failures: string[] = [];

  constructor(readonly world: World, readonly plan: Plan, private readonly tally: FaultCounts) {}

  async carryOut(): Promise<void> {
    const { plan, world } = this;
    await this.#createTasks();
    const started = performance.now();
    for (const fault of plan.faults) {
      const { action, moment } = fault;
      if ("frame" in moment) this.#faults.push({ action, moment, left: moment.nth });
      else this.#at(started + moment.at, () => this.#perform(action as Action));
    }
    world.atFrame = (frame, side) => this.#atFrame(frame, side);
    for (const run of plan.runs) this.#at(started + run.at, () => this.#run(run.task, run.by));
    const lasts = [...plan.runs.map(({ at }) => at), ...plan.faults.map(({ moment }) => timeOf(moment))];
    await sleep(started + Math.max(...lasts) + AFTERMATH - performance.now());
    world.atFrame = () => Promise.resolve([]);
    await world.heal();
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    await world.heal(); // repairs faults that happened during the first repair
    await world.answering(); // agents may be away for longer, and their runs must end without them
  }

  async #createTasks(): Promise<void> {
    const { api, destinations, trees } = this.world;
    for (const [index, task] of this.plan.tasks.entries()) {
      const isScheduled = this.plan.runs.some((run) => run.task === index && run.by === "schedule");
      const storePath = `plan-${this.plan.seed}-${index}`;
      const fields = {
        label: storePath,
        type: "files",
        source_path: trees[task.tree].path,
        remote_server_id: this.world.agents[task.agent]!.serverId,
        backup_destination_id: destinations[task.place],
        store_path: storePath,
        script_ids: index % 2 === 0 ? this.world.scriptIds : [],
        maximum_backups_to_keep: task.keep,
        verify_every: 0,
        drill_every: 0,
        ...isScheduled ? { custom_cron_expression: EACH_MINUTE } : NEVER_BY_ITSELF,
      };
      // The connection that is still open might lead to a control plane that was stopped after the previous
      // plan. A retry uses a new connection.
      const id = await api.create("/backup-tasks", fields).catch((error) => {
        if (!(error instanceof TypeError)) throw error;
        return api.create("/backup-tasks", fields);
      });
      const createdAt = await this.world.sql(async (sql) =>
        (await sql<{ at: Date }[]>`select created_at as at from backup_tasks where id = ${id}`)[0]!.at
      );
      this.tasks.push({ ...task, id, storePath, createdAt, broughtForward: [], perhapsForward: [] });
    }
  }

  #at(time: number, work: () => Promise<void>): void {
    this.#track(sleep(time - performance.now()).then(work));
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch((error) => void this.failures.push(String(error))).finally(() =>
      this.#pending.delete(tracked)
    );
    this.#pending.add(tracked);
  }

  /** Starts a run by hand, or makes one due by schedule. If this fails, it is not repeated. */
  async #run(index: number, by: "hand" | "schedule"): Promise<void> {
    const task = this.tasks[index]!;
    if (by === "hand") {
      const status = await this.#post(`/backup-tasks/${task.id}/run`);
      return this.tally.count(
        status === 202 ? "runs started by hand" : "runs by hand refused or not answered",
      );
    }
    const due = new Date(Math.floor(systemClock.now().getTime() / 1000) * 1000);
    // Do not set a due time that is close to a full minute. A control plane that computes the next due time
    // could mistake the time set here for the schedule's own due time at that minute.
    if (due.getUTCSeconds() < 2 || due.getUTCSeconds() > 57) return;
    if (task.broughtForward.some((earlier) => earlier.getTime() === due.getTime())) return;
    task.broughtForward.push(due);
    // Keep the task's due time in two cases: the due time has come, or a control plane with a fast clock has
    // already started a run for a due time that is in the future. In these cases, a new due time would cause
    // a missed run or a double run. The harness would be at fault, not the control plane.
    let tries = 0;
    const moved = await this.world.sql(async (sql) => {
      tries++;
      const { count } = await sql`
        update backup_tasks t set next_run_at = ${due} where id = ${task.id} and next_run_at > now()
          and not exists (select from runs r where r.backup_task_id = t.id and r.scheduled_for > now())`;
      return count;
    });
    if (moved === 0) {
      task.broughtForward.splice(task.broughtForward.indexOf(due), 1);
      if (tries > 1) task.perhapsForward.push(due);
      return;
    }
    this.tally.count("due times brought forward");
    await this.world.sql((sql) => sql`select pg_notify('rearguard', ${'{"topic":"schedule_changed"}'})`);
  }

  async #post(path: string): Promise<number | null> {
    return await this.world.api.call("POST", path).then(({ status }) => status, () => null);
  }

  async #atFrame(frame: Frame, side: Side): Promise<readonly FrameAction[]> {
    const actions: FrameAction[] = [];
    for (const fault of this.#faults) {
      const { action, moment } = fault;
      if (moment.frame !== frame.kind || moment.side !== side || --fault.left !== 0) continue;
      if (isFrameAction(action)) {
        actions.push(action);
        this.tally.frame(action.type, moment.frame);
      } else await this.#perform(action);
    }
    return actions;
  }

  /**
   * Injects the fault of an action. Counts the action, unless there was nothing to break. Resolves once the
   * fault has been injected, without waiting for the recovery.
   */
  async #perform(action: Action): Promise<void> {
    if (await this.#happens(action)) this.tally.count(action.type);
  }

  /** Injects the fault. Returns false if there was nothing to break. */
  async #happens(action: Action): Promise<boolean> {
    const { agents, places, planes } = this.world;
    const { controlPlanes } = this.plan;
    switch (action.type) {
      case "kill agent":
        return agents[action.agent]!.supervisor.kill(action.downFor);
      case "kill control plane":
        return planes[action.plane % controlPlanes]!.supervisor.kill(action.downFor);
      case "kill Postgres":
        return await this.#killPostgres(action.downFor);
      case "fill the agent's disk":
        agents[action.agent]!.stateDisk.fill();
        return true;
      case "fill the destination's disk":
        places.backends.disk.fill();
        return true;
      case "jump the clock": {
        const { clockFile } = planes[action.plane % controlPlanes]!;
        // A single control plane is on the same machine as its database. The clock must then jump for both.
        const files = controlPlanes === 1 ? [clockFile, this.world.databaseClockFile] : [clockFile];
        for (const file of files) {
          await Deno.writeTextFile(file, `${action.seconds < 0 ? "" : "+"}${action.seconds}`);
        }
        return true;
      }
      case "cancel":
        return await this.#post(`/backup-tasks/${this.tasks[action.task]!.id}/cancel`) === 202;
      case "drop SFTP":
      case "drop WebDAV":
        return relayIn(places.backends, action).drop() > 0;
      case "SFTP is slow":
      case "WebDAV is slow":
        relayIn(places.backends, action).bytesPerSecond = action.bytesPerSecond;
        return true;
      case "SFTP falls mute":
      case "WebDAV falls mute":
        relayIn(places.backends, action).mute();
        return true;
      case "S3 falls mute":
        places.backends.s3Relay.mute();
        return true;
      case "the network disk falls mute":
        places.backends.networkDisk.freeze();
        return true;
      case "Postgres falls mute":
        return await this.#freezePostgres(action.downFor);
      default:
        breakS3(places.backends, action);
        return true;
    }
  }

  async #freezePostgres(downFor: number): Promise<boolean> {
    if (this.#isPostgresDown) return false;
    this.#isPostgresDown = true;
    const goOn = await this.world.postgres.freeze();
    this.#track(
      sleep(downFor).then(() => {
        goOn();
        this.#isPostgresDown = false;
      }),
    );
    return true;
  }

  async #killPostgres(downFor: number): Promise<boolean> {
    if (this.#isPostgresDown) return false;
    this.#isPostgresDown = true;
    await this.world.postgres.kill();
    this.#track(
      sleep(downFor).then(async () => {
        await this.world.postgres.start();
        this.#isPostgresDown = false;
      }),
    );
    return true;
  }
}

/** Returns the relay in front of the server that an action breaks. */
function relayIn({ relays }: World["places"]["backends"], { type }: Action): Relay {
  return type.includes("SFTP") ? relays.SFTP : relays.WebDAV;
}

type S3Action = Exclude<Extract<Action, { type: `S3 ${string}` }>, { type: "S3 falls mute" }>;

function breakS3({ s3, s3Relay }: World["places"]["backends"], action: S3Action): void {
  if (action.type === "S3 is slow") {
    s3Relay.bytesPerSecond = action.bytesPerSecond;
    return;
  }
  let left = action.calls;
  if (action.type === "S3 truncates answers") s3Relay.endsAfter = () => left-- > 0 ? action.after : null;
  else {
    const fault = {
      "S3 answers 500": { status: 500, code: "InternalError" },
      "S3 answers 503": { status: 503, code: "SlowDown" },
      "S3 cuts connections": "cut" as const,
      "S3 carries out, then cuts": "cut the answer" as const,
    }[action.type];
    s3.fault = () => left-- > 0 ? fault : null;
  }
}

function isFrameAction(action: Action | FrameAction): action is FrameAction {
  return ["cut", "half-close", "duplicate", "delay"].includes(action.type);
}

function timeOf(moment: PlannedFault["moment"]): number {
  return "at" in moment ? moment.at : 0;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
