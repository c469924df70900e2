/** Shows the state of the whole installation to its administrators. */
import { isOlderVersion, RELEASE } from "../../domain/release.ts";
import { type KeyRotationRow, openKeyRotation } from "../../store/installation/key_rotations.ts";
import {
  type DatabaseState,
  listReplicas,
  type QueueState,
  readDatabaseState,
  readQueue,
  type ReplicaState,
} from "../../store/installation/installation.ts";
import { REPLICA_TIMEOUT } from "../../store/installation/replicas.ts";
import { readMigrations } from "../../store/database/migrate.ts";
import type { ServiceContext } from "../context.ts";

/** A control plane, and whether it can be stopped without an interruption. */
export interface ReplicaReport extends ReplicaState {
  readonly is_this: boolean;
  /** Whether the control plane has sent a heartbeat within the last 30 s. */
  readonly is_alive: boolean;
  readonly is_safe_to_stop: boolean;
  /** Says in one or two sentences what happens if the control plane is stopped. */
  readonly stop_note: string;
}

export interface Installation {
  readonly version: string;
  readonly replicas: readonly ReplicaReport[];
  /** The background loops of this control plane, each with the seconds since it last did something. */
  readonly loops: readonly { readonly name: string; readonly seconds: number }[];
  /** Why this control plane is not healthy; null if it is. */
  readonly problem: string | null;
  readonly queue: QueueState;
  readonly database: DatabaseState & { readonly place: string };
  /** Number of migrations that this version has. */
  readonly expectedMigrations: number;
  readonly keys: {
    /** The key that encrypts new values. */
    readonly current: string;
    readonly ids: readonly string[];
    readonly rotation: Pick<KeyRotationRow, "new_key_id" | "started_at"> | null;
  };
}

export async function showInstallation(services: ServiceContext): Promise<Installation> {
  const { clock, database, health, keyring, replica } = services;
  const now = clock.now();
  const [replicas, queue, state, rotation, migrations] = await Promise.all([
    listReplicas(database),
    readQueue(database, now),
    readDatabaseState(database),
    openKeyRotation(database),
    readMigrations(new URL("../../../migrations", import.meta.url)),
  ]);
  const isAlive = (each: ReplicaState) => now.getTime() - each.heartbeat_at.getTime() < REPLICA_TIMEOUT;
  const alive = replicas.filter(isAlive);
  return {
    version: RELEASE,
    replicas: replicas.map((each) => ({
      ...each,
      is_this: each.id === replica?.id,
      is_alive: isAlive(each),
      ...afterStop(each, isAlive(each), alive.filter(({ id }) => id !== each.id)),
    })),
    loops: health.ages(),
    problem: health.problem(),
    queue,
    database: { ...state, place: placeOf(database) },
    expectedMigrations: migrations.length,
    keys: { current: keyring.keyIds[0]!, ids: keyring.keyIds, rotation: rotation ?? null },
  };
}

/**
 * Returns whether the control plane `replica` can be stopped without an interruption. If `replica` is
 * running, another running control plane must have all of its secret keys and a version that is not older.
 * If `replica` is not running, it can always be stopped.
 *
 * @param others The other control planes that are running.
 */
function afterStop(
  replica: ReplicaState,
  isAlive: boolean,
  others: readonly ReplicaState[],
): Pick<ReplicaReport, "is_safe_to_stop" | "stop_note"> {
  if (!isAlive) return { is_safe_to_stop: true, stop_note: "It does not run any more." };
  if (others.length === 0) {
    return {
      is_safe_to_stop: false,
      stop_note:
        "It is the only control plane: until it runs again, no run begins and this API does not answer. " +
        "Agents continue the runs that they work on.",
    };
  }
  const withKeys = others.filter(({ key_ids }) => replica.key_ids.every((id) => key_ids.includes(id)));
  if (withKeys.length === 0) {
    return { is_safe_to_stop: false, stop_note: "No other control plane has all of its secret keys." };
  }
  if (withKeys.every(({ version }) => isOlderVersion(version ?? "0", replica.version ?? "0"))) {
    return { is_safe_to_stop: false, stop_note: "The other control planes are of an older version." };
  }
  return {
    is_safe_to_stop: true,
    stop_note: `${takeover(replica.agents_count)} Downloads that pass through it break.`,
  };
}

function takeover(agents: number): string {
  if (agents === 0) return "No agent is connected to it.";
  const one = "Its agent connects to another control plane within seconds and continues its runs.";
  return agents === 1
    ? one
    : `Its ${agents} agents connect to other control planes within seconds and continue their runs.`;
}

/** Returns the address of the database, without the password. */
function placeOf({ options: { host, port, database } }: ServiceContext["database"]): string {
  const at = [host].flat().map((each, index) => `${each}:${[port].flat()[index] ?? 5432}`).join(",");
  return `${database} at ${at}`;
}
