import { AgentStreams } from "./agent_rpc/agent_streams.ts";
import type { ServiceContext } from "./context.ts";
import { Health } from "./installation/health.ts";
import { LiveChanges } from "./live/live_changes.ts";
import { LoginThrottle } from "./access/login_throttle.ts";
import { PasswordHasher } from "../secrets/passwords/password_hasher.ts";
import { TransientSecrets } from "./jobs/transient_secrets.ts";

/**
 * The parts of the context that the caller creates. If `health` is absent, a new `Health` is created. If
 * `openid` or `replica` is absent, it is null in the context.
 */
export type ContextParts =
  & Omit<
    ServiceContext,
    "health" | "live" | "loginThrottle" | "openid" | "passwords" | "replica" | "streams" | "transientSecrets"
  >
  & Partial<Pick<ServiceContext, "health" | "openid" | "replica">>;

/** Completes the context for the services. Dispose of the result before closing the event bus. */
export function openContext(parts: ContextParts): { services: ServiceContext } & Disposable {
  const { bus, clock, database, health = new Health(clock), keyring, openid = null, replica = null } = parts;
  const transientSecrets = new TransientSecrets({ bus, clock, keyring, database });
  const passwords = new PasswordHasher();
  const services = {
    ...parts,
    health,
    live: new LiveChanges(bus, clock),
    loginThrottle: new LoginThrottle(clock),
    openid,
    passwords,
    replica,
    streams: new AgentStreams(clock),
    transientSecrets,
  };
  return {
    services,
    [Symbol.dispose]() {
      transientSecrets.close();
      passwords[Symbol.dispose]();
    },
  };
}
