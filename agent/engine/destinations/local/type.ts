import type { LocalDestination as Spec } from "../../../../src/definitions/destinations/local.ts";
import type { DestinationType } from "../destination_type.ts";
import { probe } from "../probe.ts";
import { LocalDestination } from "./local.ts";

export const local: DestinationType<Spec> = {
  open: (spec, ports) => new LocalDestination(spec, ports.signal, ports.output, ports),
  check: (spec, ports) =>
    probe(async () => {
      const destination = new LocalDestination(spec, ports.signal, null, ports);
      await destination.makeLocation();
      return destination;
    }, ports.clock),
};
