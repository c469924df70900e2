/**
 * The field that selects the server to restore on. Connected servers come first. Other servers can't be
 * selected, and are shown with the reason.
 */
import type { View } from "../../view.ts";
import type { Plan } from "./plan.ts";
import { isConnected, reasonOf, type Server } from "./servers.ts";

interface SelectProps {
  readonly view: View;
  readonly plan: Plan;
  readonly servers: readonly Server[];
  readonly error?: string;
}

export function ServerSelect({ view, plan: { backup, serverId }, servers, error }: SelectProps) {
  const label = (server: Server) =>
    server.id === backup.remote_server_id ? `${server.label} (made this backup)` : server.label;
  const connected = servers.filter(isConnected)
    .sort((a, b) => Number(b.id === backup.remote_server_id) - Number(a.id === backup.remote_server_id));
  const others = servers.filter((server) => !isConnected(server));
  const own = servers.find(({ id }) => id === backup.remote_server_id);
  return (
    <div class="field">
      <label for="remote_server_id">On which server</label>
      <select
        id="remote_server_id"
        name="remote_server_id"
        aria-describedby="remote_server_id-hint"
        aria-invalid={error === undefined ? undefined : "true"}
      >
        <optgroup label="Connected">
          {connected.map((server) => (
            <option key={server.id} value={server.id} selected={server.id === serverId}>
              {label(server)}
            </option>
          ))}
        </optgroup>
        {others.length === 0 ? null : (
          <optgroup label="Not connected">
            {others.map((server) => (
              <option key={server.id} value={server.id} disabled>
                {label(server)}: {reasonOf(view, server)}
              </option>
            ))}
          </optgroup>
        )}
      </select>
      <p class="hint" id="remote_server_id-hint">
        {own === undefined
          ? "The server that made this backup is deleted. Choose any connected one."
          : isConnected(own)
          ? "The server that made this backup is connected."
          : `${own.label} made this backup, but ${
            reasonOf(view, own)
          }. Start its agent, or choose another server.`}
      </p>
      {error === undefined ? null : <p class="error">{error}</p>}
    </div>
  );
}
