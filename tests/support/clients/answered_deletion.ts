/** Takes the place of an agent: responds to requests to delete objects. */
import assert from "node:assert/strict";
import { claimPendingRequests, recordResponse } from "../../../src/services/agent_rpc/agent_requests.ts";
import type { ServiceContext } from "../../../src/services/context.ts";

/**
 * Responds to the next deletion request in the agent's place. The response reports the objects in `failed` as
 * failed, leaves out those in `unsaid`, and reports all others as deleted. Returns the names of the objects
 * that the request asked to delete.
 */
export function answering(
  services: ServiceContext,
  serverId: number,
  failed: { name: string; message: string }[],
  unsaid: string[] = [],
) {
  return new Promise<string[]>((resolve) => {
    const unsubscribe = services.bus.subscribe(async ({ topic }) => {
      if (topic !== "agent_request") return;
      unsubscribe();
      const [delivery] = await claimPendingRequests(services, [serverId]);
      const { request, requestId } = delivery!;
      assert.ok(request.kind === "destination.delete");
      const silent = new Set([...failed.map(({ name }) => name), ...unsaid]);
      await recordResponse(services, serverId, requestId, {
        ok: true,
        result: { deleted: request.names.filter((name) => !silent.has(name)), failed },
      });
      resolve(request.names);
    });
  });
}
