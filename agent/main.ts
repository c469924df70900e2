/** Starts the agent: reads the options, connects the parts, and runs until a stop signal. */
import { arch } from "node:os";
import { systemClock } from "../src/domain/clock.ts";
import { RELEASE } from "../src/domain/release.ts";
import type { AgentDescription } from "../src/protocol/wire_messages.ts";
import { logger, setUpLogging } from "../src/telemetry/logging.ts";
import { type AgentConfig, readAgentConfig } from "./config.ts";
import { GarbageCollection } from "./engine/garbage.ts";
import { ListingCache } from "./engine/archive/listing_cache.ts";
import { describeTools } from "./engine/programs/tools.ts";
import { typesByName } from "./engine/sources/registry.ts";
import { enrol } from "./enrolment.ts";
import { Journal } from "./journal.ts";
import { Link } from "./link.ts";
import { RequestHandler } from "./rpc/request_handler.ts";
import { Runner } from "./runner.ts";
import { StartError, StateDirectory } from "./state_directory.ts";

/**
 * Maximum time in milliseconds that a stopping agent waits for the acknowledgement of its last events, such
 * as verdicts. At its next start, the agent sends the events that were not acknowledged.
 */
const DRAIN_TIMEOUT = 3_000;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  if (args.includes("--version")) {
    Deno.stdout.writeSync(new TextEncoder().encode(`rearguard-agent ${RELEASE}\n`));
    return 0;
  }
  try {
    const config = readAgentConfig(args);
    neverProxyLoopback();
    await setUpLogging({ level: config.logLevel, format: config.logFormat });
    using state = await StateDirectory.open(config.stateDir);
    await serve(config, state);
    return 0;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    Deno.stderr.writeSync(new TextEncoder().encode(`${error.message}\n`));
    return 1;
  }
}

/**
 * Excludes 127.0.0.1 from proxying. Neither the databases of this machine nor the local end of a proxy tunnel
 * are behind a proxy.
 */
function neverProxyLoopback(): void {
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const listed = Deno.env.get(name);
    if (name === "NO_PROXY" || listed !== undefined) {
      Deno.env.set(name, [listed ?? "", "127.0.0.1"].filter((entry) => entry !== "").join(","));
    }
  }
}

async function serve(config: AgentConfig, state: StateDirectory): Promise<void> {
  const clock = systemClock;
  const stopping = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, () => stopping.abort());
  const description = await describe(config);
  const key = await loadKey(config, state, description, stopping.signal);
  if (key === null) return;
  const journal = await Journal.open(state.journalPath, clock);
  const garbage = new GarbageCollection(clock);
  const runner = new Runner({
    clock,
    journal,
    state,
    hostname: config.hostname,
    link: () => link,
    garbage,
    exports: { url: config.url, key, clock },
    scripts: config.scripts,
  });
  await runner.recover();
  await using listings = new ListingCache(state.listingsPath, clock);
  const requests = new RequestHandler(
    { url: config.url, key, clock },
    (message) => link.send(message),
    { listings, garbage, makeWorkDirectory: () => state.makeRequestDirectory() },
  );
  const link: Link = new Link({
    url: config.url,
    key,
    clock,
    journal,
    describe: () => description,
    seat: await state.seat(),
    handlers: {
      start: ({ run_id, attempt, job, traceparent }) => runner.start(run_id, attempt, job, traceparent),
      cancel: (runId, attempt, reason) => runner.cancel(runId, attempt, reason),
      forget: (runId, attempt) => void runner.forget(runId, attempt),
      request: (message) => void requests.take(message),
    },
  });
  runner.resume();
  const disconnecting = new AbortController();
  const connected = link.run(disconnecting.signal);
  await aborted(stopping.signal);
  logger("agent").info("Stopping");
  await runner.stop();
  await link.drained(AbortSignal.timeout(DRAIN_TIMEOUT));
  disconnecting.abort();
  await connected;
  journal.close();
}

/**
 * Returns the stored key. If no key is stored, enrols the agent and stores the new key. Returns null if the
 * agent was stopped before it was enrolled.
 */
async function loadKey(
  config: AgentConfig,
  state: StateDirectory,
  description: AgentDescription,
  signal: AbortSignal,
): Promise<string | null> {
  const stored = await state.readKey();
  if (stored !== null) return stored;
  const token = await config.readToken();
  if (token === null) {
    throw new StartError(
      "Cannot start the agent: it is not enrolled and has no enrolment token. " +
        "Make one for its server and give it in REARGUARD_TOKEN or with --token-file.",
    );
  }
  try {
    const key = await enrol(config.url, token, description, systemClock, signal);
    await state.writeKey(key);
    return key;
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

async function describe(config: AgentConfig): Promise<AgentDescription> {
  return {
    version: RELEASE,
    hostname: config.hostname.slice(0, 255),
    os: `${Deno.build.os} ${Deno.osRelease()}`.slice(0, 64),
    arch: arch(),
    tools: await describeTools(typesByName.values().flatMap(({ programs }) => programs).toArray()),
    sources: [...typesByName.keys()],
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
