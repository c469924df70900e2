/** Ends streams when their token or agent key becomes invalid. */
import type { Ability } from "../../domain/abilities.ts";
import { logger } from "../../telemetry/logging.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { authenticateAgent } from "../servers/enrolment.ts";
import { recheckToken } from "./tokens.ts";

export interface TokenWatch extends Disposable {
  /** Aborts when the token or key is no longer valid, or the token has lost the watched ability. */
  readonly ended: AbortSignal;
}

/** Maximum time between two checks of a token that expires, in milliseconds. */
const MAX_TIMER = 24 * 3_600_000;

/**
 * Watches a token until the watch is disposed. Its signal also aborts when the token loses `ability`. An
 * unavailable database does not end the stream: the token is checked when the database is back.
 */
export function watchToken(services: ServiceContext, caller: Caller, ability: Ability | null): TokenWatch {
  const ended = new AbortController();
  let timer = new AbortController();
  let isOver = false;
  const check = async () => {
    timer.abort();
    const { signal } = timer = new AbortController();
    try {
      const now = await recheckToken(services, caller);
      if (isOver || signal.aborted) return;
      if (now === null || (ability !== null && !now.caller.abilities.has(ability))) return ended.abort();
      if (now.expiresAt === null) return;
      const left = now.expiresAt.getTime() - services.clock.now().getTime();
      services.clock.sleep(Math.min(left, MAX_TIMER), signal).then(check, () => {});
    } catch (error) {
      logger("services").warn("Cannot check the token of a stream: {error}", { error });
    }
  };
  const unsubscribe = services.bus.subscribe((notification) => {
    const isOurs = notification.topic === "tokens_changed" && notification.user_id === caller.userId;
    if (isOurs || notification.topic === "reconnected") void check();
  });
  void check();
  return {
    ended: ended.signal,
    [Symbol.dispose]() {
      isOver = true;
      timer.abort();
      unsubscribe();
    },
  };
}

/**
 * Watches an agent's key until the watch is disposed. Its signal aborts when the key is revoked or replaced.
 */
export function watchAgentKey(services: ServiceContext, key: string): TokenWatch {
  const ended = new AbortController();
  const check = async () => {
    try {
      if (await authenticateAgent(services, key) === null) ended.abort();
    } catch (error) {
      logger("services").warn("Cannot check the agent's key of a stream: {error}", { error });
    }
  };
  const unsubscribe = services.bus.subscribe(({ topic }) => {
    if (topic === "agent_revoked" || topic === "reconnected") void check();
  });
  return { ended: ended.signal, [Symbol.dispose]: unsubscribe };
}
