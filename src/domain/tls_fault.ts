/**
 * Explains TLS errors in plain words. Covers the errors of Deno's `fetch` and websockets (rustls) and of
 * node:tls.
 */

/** Advice for operators: how to make the program trust a private authority. */
const HOW_TO_TRUST =
  "To trust an authority of your own, set DENO_CERT to its certificate (a PEM file), or DENO_TLS_CA_STORE=system " +
  "for those of the system, where this program runs";

export interface TlsFault {
  /** The fault, as the end of a sentence about the server, such as `its certificate is self-signed`. */
  readonly reason: string;
  /** Whether trusting the certificate's authority would help. */
  readonly isTrust: boolean;
}

interface Pattern {
  readonly is: RegExp;
  readonly isTrust?: boolean;
  reason(match: RegExpExecArray): string;
}

const date = (seconds: string) => new Date(Number(seconds) * 1000).toISOString().slice(0, 10);

/**
 * Explanations of error codes and messages. The first pattern that matches the error or one of its causes is
 * used.
 */
const PATTERNS: readonly Pattern[] = [
  { is: /Failed opening CA file/i, reason: () => "the file that DENO_CERT names can't be read" },
  { is: /not valid after (\d+)/i, reason: ([, at]) => `its certificate expired on ${date(at!)}` },
  { is: /CERT_HAS_EXPIRED|certificate (?:has )?expired/i, reason: () => "its certificate has expired" },
  {
    is: /not valid before (\d+)/i,
    reason: ([, at]) => `its certificate is not valid before ${date(at!)}; look at the clocks`,
  },
  {
    is: /CERT_NOT_YET_VALID|not valid yet|not yet valid/i,
    reason: () => "its certificate is not valid yet; look at the clocks",
  },
  {
    is: /ERR_TLS_CERT_ALTNAME_INVALID|certificate not valid for name|NotValidForName/i,
    reason: ({ input }) => {
      const names = [...input.matchAll(/(?:DnsName\(")([^"]+)|DNS:([^\s,]+)/g)].map(([, a, b]) => a ?? b);
      return `its certificate is for another name${
        names.length === 0 ? "" : ` (${names.slice(0, 5).join(", ")})`
      }`;
    },
  },
  {
    is: /SELF_SIGNED|self.signed|CaUsedAsEndEntity/i,
    isTrust: true,
    reason: () => "its certificate is self-signed",
  },
  {
    is: /UnknownIssuer|UNABLE_TO_GET_ISSUER|issuer certificate/i,
    isTrust: true,
    reason: () => "its certificate was issued by an authority that is not trusted here",
  },
  {
    is: /UNABLE_TO_VERIFY_LEAF|unable to verify/i,
    isTrust: true,
    reason: () => "its certificate can't be verified: its authority is not trusted here, or it has expired",
  },
  {
    is: /WRONG_VERSION_NUMBER|InvalidContentType|wrong version number/i,
    reason: () => "it does not speak TLS on that port",
  },
  { is: /peer certificate|ERR_TLS|certificate/i, reason: () => "its certificate is not accepted" },
];

/** Returns the explanation of an error; null if the error is not about TLS. */
function tlsFault(error: unknown): TlsFault | null {
  const text = texts(error).join(" ");
  for (const { is, isTrust = false, reason } of PATTERNS) {
    const match = is.exec(text);
    if (match !== null) return { reason: reason(match), isTrust };
  }
  return null;
}

/**
 * Returns the explanation of an error, worded as the end of a sentence. If trusting a certificate authority
 * would solve the problem, adds advice on how to do that. Returns null if the error is not about TLS.
 */
export function tlsReason(error: unknown): string | null {
  const fault = tlsFault(error);
  return fault && (fault.isTrust ? `${fault.reason}. ${HOW_TO_TRUST}` : fault.reason);
}

function texts(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > 5) return [];
  const code = "code" in error ? String(error.code) : "";
  return [code, error.message, ...texts(error.cause, depth + 1)];
}
