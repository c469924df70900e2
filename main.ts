/** The control plane's process: reads the configuration, wires the parts, serves until it is told to stop. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Hub } from "./src/agents/hub.ts";
import { type Config, readConfig } from "./src/config.ts";
import { Dispatcher } from "./src/dispatcher/dispatcher.ts";
import { Messenger } from "./src/dispatcher/messenger.ts";
import { Reaper } from "./src/dispatcher/reaper.ts";
import { Remover } from "./src/dispatcher/remover.ts";
import { Scheduler } from "./src/dispatcher/scheduler.ts";
import { Watcher } from "./src/dispatcher/watcher.ts";
import { RELEASE } from "./src/domain/release.ts";
import { systemClock } from "./src/domain/clock.ts";
import { createApp } from "./src/http/app.ts";
import { addInstallPages } from "./src/http/routes/servers/install.ts";
import { Network } from "./src/network/network.ts";
import { Notifier } from "./src/notify/notifier.ts";
import { AgentFiles } from "./src/process/agent_files.ts";
import { openControlDatabase } from "./src/process/control_database.ts";
import { DataDirectory } from "./src/process/data_directory.ts";
import { agentConnected, LocalAgent } from "./src/process/local_agent.ts";
import { ignoreConnectionResets } from "./src/process/lost_connections.ts";
import { requirePrograms } from "./src/process/required_programs.ts";
import { watchKeys } from "./src/process/key_watch.ts";
import { openKeyring, requireFittingKeys } from "./src/process/secret_keys.ts";
import { startFailure } from "./src/process/start_error.ts";
import { stopSignal } from "./src/process/stop_signal.ts";
import { print, printError } from "./src/process/terminal.ts";
import { serveWeb } from "./src/process/web_server.ts";
import { AgentStreams } from "./src/services/agent_rpc/agent_streams.ts";
import type { ServiceContext } from "./src/services/context.ts";
import { Health } from "./src/services/installation/health.ts";
import { createFirstAdministrator } from "./src/services/access/first_administrator.ts";
import { enrolLocalAgent } from "./src/services/servers/local_server.ts";
import { TransientSecrets } from "./src/services/jobs/transient_secrets.ts";
import { configureDeleteDelay } from "./src/services/retention/trash.ts";
import {
  heartbeatReplica,
  registerReplica,
  unregisterReplica,
} from "./src/services/installation/replicas.ts";
import { isGoodToken } from "./src/services/access/tokens.ts";
import { DatabaseClock } from "./src/store/database/database_clock.ts";
import { openEventBus } from "./src/store/database/event_bus.ts";
import { watchEventLoop } from "./src/telemetry/process_metrics.ts";
import { logger, setUpLogging } from "./src/telemetry/logging.ts";

/** Everything that is started is put on `parts`, which stops it in reverse order. `whenReady`: a backup can be run. */
async function start(parts: AsyncDisposableStack): Promise<{ url: string; whenReady: Promise<void> }> {
  const defaults = { localAgent: Deno.args.includes("--local-agent"), isRoot: Deno.uid() === 0 };
  const config = readConfig(Deno.env.toObject(), defaults);
  await setUpLogging({ level: config.logLevel, format: config.logFormat });
  if (config.localAgent) requirePrograms(Deno.env.get("PATH") ?? "");
  parts.use(await DataDirectory.take(config.dataDirectory));
  const { database } = parts.use(await openControlDatabase(config, systemClock));
  const clock = parts.use(await DatabaseClock.follow(database));
  const keyring = await openKeyring(config, database);
  const keyCheck = { database, clock, lostKeyIds: config.lostKeyIds };
  await requireFittingKeys(keyCheck, keyring);
  const bus = await openEventBus(database);
  parts.defer(() => bus.close());
  const passedSecrets = new TransientSecrets({ bus, clock, keyring, database });
  parts.defer(() => passedSecrets.close());
  const streams = new AgentStreams(clock);
  const network = new Network(config.addressPolicy);
  const notifier = new Notifier({ ...config, database, clock, keyring, network });
  const services: ServiceContext = {
    database,
    clock,
    health,
    keyring,
    bus,
    transientSecrets: passedSecrets,
    streams,
    notifier,
    network,
    runTimes: config.runTimes,
  };

  await configureDeleteDelay(services, config.deleteDelayDays);

  const replicaId = randomUUID();
  await registerReplica(services, replicaId);
  parts.defer(() => unregisterReplica(services, replicaId));
  await requireFittingKeys(keyCheck, keyring, replicaId); // again, for two that start at the same time
  parts.use(watchKeys({
    path: config.secretKeys === null ? config.secretKeyFile : null,
    keyring,
    bus,
    check: keyCheck,
    clock,
    changed: () => heartbeatReplica(services, replicaId),
    report: (problem) => {
      const sentence = problem && `Secrets can't be opened: ${problem}.`;
      if (health.report("secret keys", sentence) && sentence) logger("secrets").error(sentence);
    },
  }));
  const hub = new Hub(services, { replicaId });
  const files = new AgentFiles(join(config.dataDirectory, "agent-files"));
  const pages = [addInstallPages({ files, publicUrl: config.publicUrl })];
  const app = createApp({
    ...config,
    services,
    connectAgent: (request, origin) => hub.connect(request, origin),
    pages,
  });
  const handler: Deno.ServeHandler<Deno.NetAddr> = (request, { remoteAddr }) =>
    app.fetch(request, { remoteAddress: remoteAddr.hostname });
  const web = parts.use(serveWeb({ ...config, handler }));
  parts.defer(() => hub.close());

  const administrator = await createFirstAdministrator(services, config.bootstrapToken);
  if (administrator !== null && config.bootstrapToken === null) {
    print(`The first administrator's API token, shown only now: ${administrator.token}`);
  }
  if (administrator === null && config.bootstrapToken !== null) {
    if (!await isGoodToken(services, config.bootstrapToken)) {
      printError(
        "BOOTSTRAP_TOKEN is not used: there is an administrator already, and no token like it. Remove it, or make a new " +
          "token with `deno task admin token`.",
      );
    }
  }
  const agent = config.localAgent ? await startLocalAgent(parts, config, services, hub, web.localUrl) : null;
  for (
    const loop of [
      new Scheduler(services),
      new Dispatcher(services, hub),
      new Reaper(services, replicaId, config.auditLogDays),
      new Remover(services),
      new Watcher(services),
      new Messenger(services, notifier),
    ]
  ) {
    loop.start();
    parts.defer(() => loop.stop());
  }
  const over = new AbortController();
  parts.defer(() => over.abort());
  watchEventLoop(clock, over.signal);
  health.serve();
  return { url: config.publicUrl ?? web.localUrl, whenReady: agent?.connected ?? Promise.resolve() };
}

/** The promise inside resolves when the agent is connected. */
async function startLocalAgent(
  parts: AsyncDisposableStack,
  config: Config,
  services: ServiceContext,
  hub: Hub,
  url: string,
): Promise<{ connected: Promise<void> }> {
  let serverId = 0;
  const agent = new LocalAgent({
    stateDirectory: join(config.dataDirectory, "agent"),
    url,
    clock: systemClock,
    async enrol(key) {
      const enrolled = await enrolLocalAgent(services, { key, hostname: Deno.hostname() });
      serverId = enrolled.serverId;
      return enrolled.token;
    },
  });
  await agent.start();
  parts.use(agent);
  return { connected: agentConnected(hub, serverId) };
}

if (Deno.args.includes("--version")) {
  print(`rearguard ${RELEASE}`);
  Deno.exit(0);
}
ignoreConnectionResets();
const stopped = stopSignal();
const health = new Health(systemClock);
const parts = new AsyncDisposableStack();
let code = 0;
const fail = (error: unknown) => {
  printError(startFailure(error));
  code = 1;
};
try {
  const { url, whenReady } = await start(parts);
  void whenReady.then(() => print(`Rearguard is ready at ${url}`));
  logger("server").info("Stopping on {signal}", { signal: await stopped });
  health.stop();
} catch (error) {
  fail(error);
}
await parts.disposeAsync().catch(fail);
Deno.exit(code);
