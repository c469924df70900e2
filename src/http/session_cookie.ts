/** The cookie that holds a session's secret. */
import { SESSION_LIFETIME } from "../domain/access/session.ts";

/**
 * Name of the cookie over https. Browsers accept a cookie with the prefix `__Host-` only over https, and send
 * it only to the host that has set it.
 */
const SECURE_NAME = "__Host-rearguard_session";
/**
 * Name of the cookie over plain http, for example on http://localhost, where browsers refuse the prefix
 * `__Host-`.
 */
const PLAIN_NAME = "rearguard_session";

export interface SessionCookie {
  /** Returns the session's secret in a request; null if there is none. */
  read(request: Request): string | null;
  /**
   * Returns the `Set-Cookie` header that sets a session's secret. If `plain` is null, the header deletes the
   * cookie.
   */
  write(request: Request, plain: string | null): string;
}

/**
 * @param publicUrl The URL at which browsers reach this control plane; if null, the request's URL says
 *   whether https is used.
 */
export function sessionCookie(publicUrl: string | null): SessionCookie {
  const isSecure = (request: Request) => (publicUrl ?? request.url).startsWith("https:");
  return {
    read(request) {
      const name = isSecure(request) ? SECURE_NAME : PLAIN_NAME;
      const pairs = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
      const found = pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) =>
        pair.slice(name.length + 1)
      );
      // If there are two cookies of this name, another host of the domain may have set one of them. Then
      // neither is used.
      return found.length === 1 && /^[\x21-\x7e]{1,512}$/.test(found[0]!) ? found[0]! : null;
    },
    write(request, plain) {
      const secure = isSecure(request);
      const value = `${secure ? SECURE_NAME : PLAIN_NAME}=${plain ?? ""}`;
      const age = plain === null ? 0 : SESSION_LIFETIME / 1000;
      return `${value}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
    },
  };
}
