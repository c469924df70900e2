import type { SftpDestination as Spec } from "../../../../src/definitions/destinations/sftp.ts";
import type { DestinationPorts, DestinationType } from "../destination_type.ts";
import { probe } from "../probe.ts";

export const sftp: DestinationType<Spec> = {
  open,
  check: (spec, ports) => probe(() => open(spec, ports), ports.clock),
  openFiles: async (spec, ports) => await (await import("./files.ts")).openFiles(spec, ports),
};

/**
 * Opens and returns a destination. Loads the SSH library on demand, because it takes a third of the agent's
 * memory.
 */
async function open(spec: Spec, ports: DestinationPorts) {
  const { SftpDestination } = await import("./sftp.ts");
  return await SftpDestination.open(spec, ports);
}
