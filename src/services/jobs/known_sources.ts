/** Decides whether an agent supports a source type. */
import { DEFINITIONS, type SourceTask, sourceTypeOf } from "../../definitions/sources/registry.ts";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";
import type { RemoteServerRow } from "../../store/agents/remote_servers.ts";

type Agent = Pick<RemoteServerRow, "agent_description" | "agent_protocol">;

/**
 * Returns whether a server's agent supports the source type of a task. Returns true if no agent has connected
 * yet, because a new agent supports every type.
 */
export function knowsSource(agent: Agent, task: SourceTask): boolean {
  return knowsType(agent, sourceTypeOf(task) ?? "");
}

/** Returns whether an agent supports the source type named `type`. */
export function knowsType({ agent_description, agent_protocol }: Agent, type: string): boolean {
  if (agent_description === null) return true;
  const { sources } = agent_description;
  if (sources !== undefined) return sources.includes(type);
  const since = DEFINITIONS.get(type)?.since;
  return since !== undefined && (agent_protocol ?? PROTOCOL_VERSION) >= since;
}
