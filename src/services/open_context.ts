import { AgentStreams } from "./agent_rpc/agent_streams.ts";
import type { ServiceContext } from "./context.ts";
import { Health } from "./installation/health.ts";
import { TransientSecrets } from "./jobs/transient_secrets.ts";

/** The parts of the context that the caller opens. `health`: a new one unless given. */
export type ContextParts =
  & Omit<ServiceContext, "health" | "streams" | "transientSecrets">
  & Partial<Pick<ServiceContext, "health">>;

/** Completes the context that services work in. Dispose of it before its bus is closed. */
export function openContext(parts: ContextParts): { services: ServiceContext } & Disposable {
  const { bus, clock, database, health = new Health(clock), keyring } = parts;
  const transientSecrets = new TransientSecrets({ bus, clock, keyring, database });
  const services = { ...parts, health, streams: new AgentStreams(clock), transientSecrets };
  return { services, [Symbol.dispose]: () => transientSecrets.close() };
}
