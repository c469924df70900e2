/**
 * Shows whether a server's agent is connected. The page updates this part when the server's state changes.
 */
import { Live } from "../../components/live.tsx";
import { Mark, Status } from "../../components/status.tsx";
import { Ago } from "../../components/time.tsx";
import type { View } from "../../view.ts";
import { type Server, statusOf } from "./servers.tsx";

export function AgentState({ view, server }: { view: View; server: Server }) {
  const { agent, duplicate_agent: duplicate, status } = server;
  const isWaiting = status.connectivity === "unknown";
  return (
    <Live view={view} id="agent-state" topics={["servers"]} from={`/servers/${server.id}`}>
      <p class="marks">
        {isWaiting
          ? <Mark icon="queued" tone="quiet" text="Waiting for the agent" />
          : <Status name={statusOf(server)} />}
        {agent === null ? null : (
          <span class="muted">
            {agent.hostname}, agent {agent.version}
            {status.connectivity === "connected" ? null : (
              <>
                , last contact <Ago view={view} at={status.last_connected_at} />
              </>
            )}
          </span>
        )}
      </p>
      {duplicate === null ? null : (
        <p class="notice warn">
          Another agent with the same key, on {duplicate.hostname}{" "}
          ({duplicate.ip_address ?? "unknown address"}), was refused{" "}
          <Ago view={view} at={duplicate.last_refused_at} />. A cloned machine needs an agent key of its own:
          install the agent there anew.
        </p>
      )}
    </Live>
  );
}
