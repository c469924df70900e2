/** Exchanges a single-use token for the agent's own key. */
import { logger } from "../src/telemetry/logging.ts";
import * as z from "zod";
import type { Clock } from "../src/domain/clock.ts";
import type { AgentDescription } from "../src/protocol/wire_messages.ts";
import { Backoff } from "./backoff.ts";
import { StartError } from "./state_directory.ts";

const EnrolmentResponse = z.object({ data: z.object({ agent_key: z.string().min(1) }) });

/**
 * Enrols this agent and returns its key. Retries while the control plane can't be reached. Throws a
 * {@link StartError} if the control plane refuses the token.
 */
export async function enrol(
  url: string,
  token: string,
  description: AgentDescription,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  const backoff = new Backoff(500, 30_000);
  while (true) {
    const answer = await requestKey(url, token, description);
    if (typeof answer === "string") return answer;
    logger("agent").warn("Cannot enrol at {url} yet: {reason}", {
      url,
      reason: answer.reason,
    });
    await clock.sleep(backoff.next(), signal);
  }
}

async function requestKey(
  url: string,
  token: string,
  description: AgentDescription,
): Promise<string | { reason: string }> {
  let response: Response;
  try {
    response = await fetch(`${url}/api/agent/enrol`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ agent: description }),
      signal: AbortSignal.timeout(30_000),
    });
  } catch (error) {
    return { reason: (error as Error).message };
  }
  const text = await response.text();
  if (response.ok) return EnrolmentResponse.parse(JSON.parse(text)).data.agent_key;
  if (response.status >= 500 || response.status === 429) return { reason: `it answers ${response.status}` };
  throw new StartError(
    `Cannot enrol this agent: the control plane refused the token (${response.status}). ` +
      "Make a new enrolment token for its server and start the agent with it.",
  );
}
