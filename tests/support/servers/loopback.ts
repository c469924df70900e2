/** Allows connections to the servers that tests start on this machine. */
import { AddressPolicy, SETTING } from "../../../src/network/address_policy.ts";
import { Network } from "../../../src/network/network.ts";

const NETWORKS = "127.0.0.0/8,::1";

export const loopback = new Network(AddressPolicy.parse(NETWORKS)!);

/** Environment variables that allow a control plane in another process to connect to the tests' servers. */
export const LOOPBACK_ALLOWED = { [SETTING]: NETWORKS };
