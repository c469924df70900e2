/** Runs the control plane: reads the configuration, connects the parts, and serves until a stop signal. */
import { join } from "node:path";
import { Hub } from "./src/agents/hub.ts";
import { readConfig } from "./src/config.ts";
import { startLoops } from "./src/dispatcher/loops.ts";
import { RELEASE } from "./src/domain/release.ts";
import { systemClock } from "./src/domain/clock.ts";
import { type AppOptions, createApp } from "./src/http/app.ts";
import { addInstallPages } from "./src/http/routes/servers/install.ts";
import { AgentFiles } from "./src/process/agent_files.ts";
import { openControlPlane } from "./src/process/control_plane.ts";
import { startLocalAgent } from "./src/process/local_agent.ts";
import { ignoreConnectionResets } from "./src/process/lost_connections.ts";
import { requirePrograms } from "./src/process/required_programs.ts";
import { startFailure } from "./src/process/start_error.ts";
import { stopSignal } from "./src/process/stop_signal.ts";
import { print, printError } from "./src/process/terminal.ts";
import { serveWeb } from "./src/process/web_server.ts";
import { Health } from "./src/services/installation/health.ts";
import { announceFirstAdministrator } from "./src/services/access/first_administrator.ts";
import { enrolLocalAgent } from "./src/services/servers/local_server.ts";
import { watchEventLoop } from "./src/telemetry/process_metrics.ts";
import { logger, setUpLogging } from "./src/telemetry/logging.ts";
import { addWebPages } from "./src/web/pages.ts";

/**
 * Starts the parts of the control plane, and adds each to `parts`, which stops them in reverse order. Returns
 * the server's URL. `whenReady` resolves once a backup can run.
 */
async function start(parts: AsyncDisposableStack): Promise<{ url: string; whenReady: Promise<void> }> {
  const defaults = { localAgent: Deno.args.includes("--local-agent"), isRoot: Deno.uid() === 0 };
  const config = readConfig(Deno.env.toObject(), defaults);
  await setUpLogging({ level: config.logLevel, format: config.logFormat });
  if (config.localAgent) requirePrograms(Deno.env.get("PATH") ?? "");
  const { services, notifier, replicaId } = await openControlPlane(config, health, parts);
  const hub = new Hub(services, { replicaId });
  const files = new AgentFiles(join(config.dataDirectory, "agent-files"));
  const pages = [addInstallPages({ files, publicUrl: config.publicUrl }), addWebPages(config)];
  const connectAgent: AppOptions["connectAgent"] = (request, origin) => hub.connect(request, origin);
  const app = createApp({ ...config, services, connectAgent, pages });
  const handler: Deno.ServeHandler<Deno.NetAddr> = (request, { remoteAddr }) =>
    app.fetch(request, { remoteAddress: remoteAddr.hostname });
  const web = parts.use(serveWeb({ ...config, handler }));
  parts.defer(() => services.live.stop());
  parts.defer(() => hub.close());
  const url = config.publicUrl ?? web.localUrl;
  await announceFirstAdministrator(services, { url, bootstrapToken: config.bootstrapToken }, {
    print,
    printError,
  });
  const agent = config.localAgent
    ? await startLocalAgent(parts, {
      stateDirectory: join(config.dataDirectory, "agent"),
      url: web.localUrl,
      clock: systemClock,
      link: hub,
      enrol: (key) => enrolLocalAgent(services, { key, hostname: Deno.hostname() }),
    })
    : null;
  parts.use(
    startLoops(services, {
      hub,
      notifier,
      replicaId,
      auditLogDays: config.auditLogDays,
      publicUrl: config.publicUrl,
      updateUrl: config.updateUrl,
    }),
  );
  const over = new AbortController();
  parts.defer(() => over.abort());
  watchEventLoop(services.clock, over.signal);
  health.serve();
  return { url, whenReady: agent?.connected ?? Promise.resolve() };
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
