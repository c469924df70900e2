/** Defines the endpoint `/api/installation`. */
import { z } from "@hono/zod-openapi";
import { type Installation, showInstallation } from "../../../services/installation/installation.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";

const count = z.int();

const InstallationView = z.object({
  version: z.string().openapi({ description: "Of the control plane that answers." }),
  replicas: z.array(z.object({
    id: z.string(),
    name: z.string().nullable().openapi({ description: "Host and port; null of an older version." }),
    version: z.string().nullable().openapi({ description: "Null of an older version." }),
    is_this: z.boolean().openapi({ description: "Whether it is the one that answers." }),
    is_alive: z.boolean().openapi({ description: "Whether it has sent a heartbeat in the last 30 s." }),
    started_at: Time,
    heartbeat_at: Time,
    agents_count: count.openapi({ description: "Agents that are connected to it." }),
    running_runs_count: count.openapi({ description: "Runs that these agents work on." }),
    key_ids: z.array(z.string()).openapi({ description: "Ids of its secret keys." }),
    is_safe_to_stop: z.boolean().openapi({
      description: "Whether another one is running that has the same keys and is not older.",
    }),
    stop_note: z.string().openapi({ description: "What happens if it is stopped." }),
  })).openapi({ description: "All control planes that share the database. Each does all kinds of work." }),
  loops: z.array(z.object({ name: z.string(), seconds_since_step: z.number() })).openapi({
    description: "Background work of the control plane that answers.",
  }),
  problem: z.string().nullable().openapi({ description: "Why the one that answers is not healthy." }),
  queue: z.object({
    queued_runs_count: count,
    oldest_queued_at: Time.nullable(),
    running_runs_count: count,
    waiting_notifications_count: count,
    due_removals_count: count.openapi({
      description: "Backups, and objects of failed runs, to be deleted now.",
    }),
  }),
  database: z.object({
    place: z.string(),
    server_version: z.string().openapi({ description: "Of PostgreSQL." }),
    size_bytes: z.int(),
  }),
  migrations: z.object({
    applied_count: count,
    expected_count: count.openapi({ description: "Of the version that answers." }),
    newest: z.string(),
    newest_applied_at: Time,
  }),
  keys: z.object({
    current_id: z.string().openapi({ description: "The key that encrypts new values." }),
    ids: z.array(z.string()),
    rotation: z.object({ new_key_id: z.string(), started_at: Time }).nullable().openapi({
      description: "An unfinished rotation.",
    }),
  }),
}).openapi("Installation");

function present(installation: Installation): z.output<typeof InstallationView> {
  const { version, replicas, loops, problem, queue, database, keys, expectedMigrations } = installation;
  return {
    version,
    replicas: replicas.map(({ runs_count, key_ids, ...each }) => ({
      ...each,
      key_ids: [...key_ids],
      running_runs_count: runs_count,
      started_at: isoTime(each.started_at),
      heartbeat_at: isoTime(each.heartbeat_at),
    })),
    loops: loops.map(({ name, seconds }) => ({ name, seconds_since_step: Math.round(seconds * 10) / 10 })),
    problem,
    queue: {
      queued_runs_count: queue.queued_count,
      oldest_queued_at: isoTimeOrNull(queue.oldest_queued_at),
      running_runs_count: queue.running_count,
      waiting_notifications_count: queue.notifications_count,
      due_removals_count: queue.removals_count,
    },
    database: {
      place: database.place,
      server_version: database.server_version,
      size_bytes: database.size_bytes,
    },
    migrations: {
      applied_count: database.migrations_count,
      expected_count: expectedMigrations,
      newest: database.newest_migration,
      newest_applied_at: isoTime(database.migrated_at),
    },
    keys: {
      current_id: keys.current,
      ids: [...keys.ids],
      rotation: keys.rotation && {
        new_key_id: keys.rotation.new_key_id,
        started_at: isoTime(keys.rotation.started_at),
      },
    },
  };
}

const example: z.output<typeof InstallationView> = {
  version: "0.1.0",
  replicas: [{
    id: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    name: "backup1:8000",
    version: "0.1.0",
    is_this: true,
    is_alive: true,
    started_at: "2024-08-07T00:00:00Z",
    heartbeat_at: "2024-08-07T10:00:00Z",
    agents_count: 12,
    running_runs_count: 1,
    key_ids: ["1f3a9c0e"],
    is_safe_to_stop: false,
    stop_note:
      "It is the only control plane: until it runs again, no run begins and this API does not answer. Agents continue " +
      "the runs that they work on.",
  }],
  loops: [{ name: "scheduler", seconds_since_step: 1.5 }],
  problem: null,
  queue: {
    queued_runs_count: 2,
    oldest_queued_at: "2024-08-07T09:59:00Z",
    running_runs_count: 1,
    waiting_notifications_count: 0,
    due_removals_count: 0,
  },
  database: { place: "rearguard at db.example.com:5432", server_version: "18.1", size_bytes: 123456789 },
  migrations: {
    applied_count: 1,
    expected_count: 1,
    newest: "0001_initial",
    newest_applied_at: "2024-08-07T00:00:00Z",
  },
  keys: { current_id: "1f3a9c0e", ids: ["1f3a9c0e"], rotation: null },
};

export const installationEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/installation",
    operationId: "showInstallation",
    group: "System",
    summary: "Show the control planes, the queue, the database and the keys",
    description: "For administrators. Contains no secrets.",
    access: "admin",
    answer: {
      status: 200,
      description: "The state of the whole installation.",
      content: {
        type: "application/json",
        schema: z.object({ data: InstallationView }),
        example: { data: example },
      },
    },
    async handle({ services }) {
      return { status: 200, body: { data: present(await showInstallation(services)) } };
    },
  }),
];
