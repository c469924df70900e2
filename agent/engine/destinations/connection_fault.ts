/** Explains why a request of node:http got no response. */
import { tlsReason } from "../../../src/domain/tls_fault.ts";
import { withDates } from "../../../src/network/tls_agent.ts";

const REASONS: Record<string, string> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "the connection timed out",
  ENOTFOUND: "the host name does not exist",
  EAI_AGAIN: "the host name can't be resolved now",
  EHOSTUNREACH: "there is no route to the host",
  ENETUNREACH: "there is no route to the network",
};

export interface ConnectionFault {
  /** The reason in one line. It does not contain the URL, because a URL can be a credential. */
  readonly reason: string;
  /** True if a retry does not help. */
  readonly isFinal: boolean;
}

/** Returns the reason of a failed request in words. */
export async function connectionFault(error: Error, url: URL): Promise<ConnectionFault> {
  const fault = await withDates(error, url, undefined) as Error & { code?: string };
  const tls = tlsReason(fault);
  if (tls !== null) return { reason: `${tls}.`, isFinal: true };
  const reason = REASONS[fault.code ?? ""] ?? `the connection failed (${fault.code ?? fault.name})`;
  return { reason, isFinal: false };
}
