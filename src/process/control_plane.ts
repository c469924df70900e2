/** Opens the parts of a control plane: the database, the secret keys, and the context of the services. */
import { randomUUID } from "node:crypto";
import type { Config } from "../config.ts";
import { systemClock } from "../domain/clock.ts";
import { Network } from "../network/network.ts";
import { Notifier } from "../notify/notifier.ts";
import type { ServiceContext } from "../services/context.ts";
import type { Health } from "../services/installation/health.ts";
import { heartbeatReplica, registerReplica, unregisterReplica } from "../services/installation/replicas.ts";
import { OpenidProvider } from "../services/access/openid/provider.ts";
import { openContext } from "../services/open_context.ts";
import { configureDeleteDelay } from "../services/retention/trash.ts";
import { DatabaseClock } from "../store/database/database_clock.ts";
import { openEventBus } from "../store/database/event_bus.ts";
import { openControlDatabase } from "./control_database.ts";
import { DataDirectory } from "./data_directory.ts";
import { reportKeys, watchKeys } from "./key_watch.ts";
import { openKeyring, requireMatchingKeys } from "./secret_keys.ts";

type Opened =
  & Pick<ServiceContext, "bus" | "clock" | "database" | "keyring">
  & Partial<Pick<ServiceContext, "health" | "replica">>;

/** Adds a network and a notifier to the opened parts, both as configured. Returns the complete services. */
export function openServices(
  config: Config,
  opened: Opened,
): { services: ServiceContext; notifier: Notifier } & Disposable {
  const network = new Network(config.addressPolicy);
  const notifier = new Notifier({ ...config, ...opened, network });
  const openid = config.openid === null ? null : new OpenidProvider(config.openid, opened.clock, network);
  const context = openContext({ ...opened, network, notifier, openid, runTimes: config.runTimes });
  return { services: context.services, notifier, [Symbol.dispose]: () => context[Symbol.dispose]() };
}

export interface ControlPlane {
  readonly services: ServiceContext;
  readonly notifier: Notifier;
  readonly replicaId: string;
}

/**
 * Opens the control plane's parts: locks the data directory, opens the database and the secret keys, and
 * registers this process as a replica. Puts each part on `parts`, so that `parts` can close them in reverse
 * order.
 */
export async function openControlPlane(
  config: Config,
  health: Health,
  parts: AsyncDisposableStack,
): Promise<ControlPlane> {
  parts.use(await DataDirectory.take(config.dataDirectory));
  const { database } = parts.use(await openControlDatabase(config, systemClock));
  const clock = parts.use(await DatabaseClock.follow(database));
  const keyring = await openKeyring(config, database);
  const check = { database, clock, lostKeyIds: config.lostKeyIds };
  await requireMatchingKeys(check, keyring);
  const bus = await openEventBus(database);
  parts.defer(() => bus.close());
  const replicaId = randomUUID();
  const replica = { id: replicaId, name: `${Deno.hostname()}:${config.port}` };
  const opened = { database, clock, health, keyring, bus, replica };
  const { services, notifier } = parts.use(openServices(config, opened));
  await configureDeleteDelay(services, config.deleteDelayDays);
  await registerReplica(services, replicaId);
  parts.defer(() => unregisterReplica(services, replicaId));
  await requireMatchingKeys(check, keyring, replicaId); // again, in case two replicas start at once
  const path = config.secretKeys === null ? config.secretKeyFile : null;
  const changed = () => heartbeatReplica(services, replicaId);
  parts.use(watchKeys({ path, keyring, bus, check, clock, changed, report: reportKeys(health) }));
  return { services, notifier, replicaId };
}
