/**
 * Summarizes whether every task of a workspace is protected, and lists the tasks that are not, with the
 * reasons.
 */
import { duration } from "../../domain/durations.ts";
import { PROTECTION_STATUSES, type ProtectionStatus } from "../../domain/protection.ts";
import {
  type LastProven,
  lastProven,
  type OverviewNumbers,
  readOverview,
} from "../../store/tasks/overview.ts";
import { listInventoriedServers } from "../../store/agents/server_inventories.ts";
import type { Sql } from "../../store/database/sql.ts";
import { protectionOfWorkspace, type TaskSummary } from "../../store/tasks/protection.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { pluralize } from "../pluralize.ts";
import { countUnprotected } from "../servers/inventories.ts";
import { type Protection, protectionOf } from "./protection.ts";

/** Maximum number of unprotected tasks that an overview lists. */
const LISTED = 100;

/** A task with its protection. */
export interface TaskProtection {
  readonly task: TaskSummary;
  readonly protection: Protection;
}

export interface Overview {
  /** One sentence that says whether all tasks are protected. */
  readonly verdict: string;
  /**
   * True if at least one task is not paused, and none of the tasks that are not paused is late. A failed run
   * alone does not make a task late.
   */
  readonly is_protected: boolean;
  /** The number of tasks by status. */
  readonly counts: Readonly<Record<ProtectionStatus, number>>;
  /** The number of tasks that are not paused and whose newest backup has warnings. */
  readonly with_warnings: number;
  /** Tasks that are neither protected nor paused, the worst first. At most {@link LISTED}. */
  readonly tasks: readonly TaskProtection[];
  readonly numbers: OverviewNumbers;
  /** The last successful drill; null if no drill has succeeded yet. */
  readonly proven: LastProven | null;
  /** How many items that agents have seen no task covers, and on how many servers they are. */
  readonly unprotected: { readonly items_count: number; readonly servers_count: number };
}

/** Reads the overview of the caller's tasks. */
export async function showOverview(
  services: ServiceContext,
  caller: Pick<Caller, "workspaceId">,
): Promise<Overview> {
  const { clock, database } = services;
  const now = clock.now();
  const [tasks, numbers, proven, items] = await Promise.all([
    readProtection(services, caller, now),
    readOverview(database, caller.workspaceId, now),
    lastProven(database, caller.workspaceId),
    countItems(database, caller.workspaceId),
  ]);
  const unprotected = tasks.filter(({ protection: { status } }) =>
    status !== "protected" && status !== "paused"
  );
  return {
    ...judge(tasks, now),
    counts: countStatuses(tasks),
    with_warnings:
      tasks.filter(({ protection }) => protection.status !== "paused" && protection.warnings_count > 0)
        .length,
    tasks: unprotected.sort(worstFirst).slice(0, LISTED),
    numbers,
    proven,
    unprotected: items,
  };
}

async function countItems(sql: Sql, workspaceId: number): Promise<Overview["unprotected"]> {
  const counts = await countUnprotected(sql, await listInventoriedServers(sql, workspaceId));
  const open = [...counts.values()].filter((number) => number > 0);
  return { items_count: open.reduce((sum, number) => sum + number, 0), servers_count: open.length };
}

/** Returns only `verdict` and `is_protected` of the overview, for monitors that ask for them every minute. */
export async function showHealth(
  services: ServiceContext,
  caller: Caller,
): Promise<Pick<Overview, "verdict" | "is_protected">> {
  const now = services.clock.now();
  return judge(await readProtection(services, caller, now), now);
}

/**
 * Returns the ids of the workspace's tasks whose protection has the given status, the worst first. Without
 * `status`, returns the ids of all tasks.
 */
export async function tasksByProtection(
  services: ServiceContext,
  caller: Caller,
  status?: ProtectionStatus,
): Promise<number[]> {
  const tasks = await readProtection(services, caller, services.clock.now());
  return tasks.filter(({ protection }) => status === undefined || protection.status === status)
    .sort(worstFirst).map(({ task }) => task.id);
}

async function readProtection(
  services: ServiceContext,
  caller: Pick<Caller, "workspaceId">,
  now: Date,
): Promise<TaskProtection[]> {
  const rows = await protectionOfWorkspace(services.database, caller.workspaceId);
  return rows.map((task) => ({ task, protection: protectionOf(task, now) }));
}

function countStatuses(tasks: readonly TaskProtection[]): Record<ProtectionStatus, number> {
  const counts = Object.fromEntries(PROTECTION_STATUSES.map((status) => [status, 0]));
  for (const { protection } of tasks) counts[protection.status]!++;
  return counts as Record<ProtectionStatus, number>;
}

function judge(
  tasks: readonly TaskProtection[],
  now: Date,
): Pick<Overview, "verdict" | "is_protected"> {
  const active = tasks.filter(({ protection }) => protection.status !== "paused");
  const late = active.filter(({ protection: { late_at } }) => late_at !== null && late_at <= now);
  return { verdict: verdictOf(active, late, now), is_protected: active.length > 0 && late.length === 0 };
}

function verdictOf(active: readonly TaskProtection[], late: readonly TaskProtection[], now: Date): string {
  const total = pluralize(active.length, "task");
  if (active.length === 0) return "No backup task is active: nothing is protected.";
  if (late.length > 0) {
    const oldest = Math.max(...late.map(({ protection }) => now.getTime() - protection.late_at!.getTime()));
    const by = duration(oldest);
    if (active.length === 1) return `The only task is late by ${by}.`;
    const verb = late.length === 1 ? `is late by ${by}` : `are late; the oldest by ${by}`;
    return `${late.length} of ${total} ${verb}.`;
  }
  const without = active.filter(({ protection }) => protection.status === "never_backed_up");
  const failed = without.filter(({ task }) => task.has_failed).length;
  const failing = active.filter(({ protection }) => protection.status === "failing").length;
  const notes = [
    ...noteOf(failed, "has no backup, because its run failed", "have no backup, because their runs failed"),
    ...noteOf(without.length - failed, "waits for its first backup", "wait for their first backup"),
    ...noteOf(
      failing,
      "has a recent backup, but its last run failed",
      "have recent backups, but their last runs failed",
    ),
  ];
  if (notes.length > 0) return `No task is late. ${notes.join(" ")}`;
  return active.length === 1 ? "The only task is protected." : `All ${total} are protected.`;
}

function noteOf(count: number, one: string, several: string): string[] {
  return count === 0 ? [] : [`${pluralize(count, "task")} ${count === 1 ? one : several}.`];
}

/**
 * Compares two tasks: first by status, the worst first; then by the time at which they become late, the
 * earliest first.
 */
function worstFirst(a: TaskProtection, b: TaskProtection): number {
  const rank = ({ protection }: TaskProtection) => PROTECTION_STATUSES.indexOf(protection.status);
  const time = ({ protection }: TaskProtection) => protection.late_at?.getTime() ?? Infinity;
  return rank(a) - rank(b) || Math.sign(time(a) - time(b)) || a.task.id - b.task.id;
}
