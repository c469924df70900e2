/** Ends streams when their token, session or agent key becomes invalid. */
import type { Ability } from "../../domain/abilities.ts";
import { logger } from "../../telemetry/logging.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { authenticateAgent } from "../servers/enrolment.ts";
import { recheckCaller } from "./callers.ts";

export interface TokenWatch extends Disposable {
  /**
   * Aborts when the token, session or agent key becomes invalid, or when the caller loses the watched
   * ability.
   */
  readonly ended: AbortSignal;
}

/** Maximum time between two checks of a token or session that expires, in milliseconds. */
const MAX_TIMER = 24 * 3_600_000;

/**
 * Watches the caller's token or session until the watch is disposed. The watch's signal aborts when the token
 * or session becomes invalid, when the caller loses `ability`, or when the session changes to another
 * workspace. If the database is unavailable, the signal does not abort, and the check is repeated later.
 */
export function watchCaller(services: ServiceContext, caller: Caller, ability: Ability | null): TokenWatch {
  const ended = new AbortController();
  let timer = new AbortController();
  let isOver = false;
  const check = async () => {
    timer.abort();
    const { signal } = timer = new AbortController();
    try {
      const now = await recheckCaller(services, caller);
      if (isOver || signal.aborted) return;
      // A session changes to another workspace if its user chooses one, or is no longer a member of the
      // session's workspace.
      if (now === null || now.caller.workspaceId !== caller.workspaceId) return ended.abort();
      if (ability !== null && !now.caller.abilities.has(ability)) return ended.abort();
      if (now.expiresAt === null) return;
      const left = now.expiresAt.getTime() - services.clock.now().getTime();
      services.clock.sleep(Math.min(left, MAX_TIMER), signal).then(check, () => {});
    } catch (error) {
      logger("services").warn("Cannot check the credential of a stream: {error}", { error });
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
 * Watches an agent's key until the watch is disposed. The watch's signal aborts when the key is revoked or
 * replaced.
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
