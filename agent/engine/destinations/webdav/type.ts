import type { WebdavDestination as Spec } from "../../../../src/definitions/destinations/webdav.ts";
import type { DestinationPorts, DestinationType } from "../destination_type.ts";
import { probe } from "../probe.ts";

export const webdav: DestinationType<Spec> = {
  open,
  check: (spec, ports) => probe(() => open(spec, ports), ports.clock),
  openFiles: async (spec, ports) => await (await import("./files.ts")).openFiles(spec, ports),
};

/** Opens and returns a destination. The client is loaded only here, because most agents do not need it. */
async function open(spec: Spec, ports: DestinationPorts) {
  const { WebdavDestination } = await import("./webdav.ts");
  return await WebdavDestination.open(spec, ports);
}
