/** The cookies: the one of a session, and the one of a log-in at an OpenID Connect provider. */
import { OPENID_LOGIN_TIME, SESSION_LIFETIME } from "../domain/access/session.ts";

/** A cookie that holds a secret, and that scripts can't read. */
export interface SecretCookie {
  /** Returns the secret in a request; null if there is none. */
  read(request: Request): string | null;
  /**
   * Returns the `Set-Cookie` header that sets a secret. If `plain` is null, the header deletes the
   * cookie.
   */
  write(request: Request, plain: string | null): string;
}

/** The cookie that holds a session's secret. {@link secretCookie} describes the parameter. */
export function sessionCookie(publicUrl: string | null): SecretCookie {
  return secretCookie(publicUrl, "rearguard_session", SESSION_LIFETIME);
}

/**
 * The cookie that binds a log-in at an OpenID Connect provider to the browser in which the log-in began. For
 * the parameter, see {@link secretCookie}.
 */
export function openidCookie(publicUrl: string | null): SecretCookie {
  return secretCookie(publicUrl, "rearguard_openid", OPENID_LOGIN_TIME);
}

/**
 * @param publicUrl The URL at which browsers reach this control plane. If null, the request's URL says
 *   whether https is used.
 * @param plainName The cookie's name over plain http, for example on http://localhost. Over https, the name
 *   gets the prefix `__Host-`. Browsers accept such a cookie only over https, and send it only to the host
 *   that set it.
 * @param lifetime How long browsers keep the cookie, in milliseconds.
 */
function secretCookie(publicUrl: string | null, plainName: string, lifetime: number): SecretCookie {
  const isSecure = (request: Request) => (publicUrl ?? request.url).startsWith("https:");
  const nameOf = (request: Request) => isSecure(request) ? `__Host-${plainName}` : plainName;
  return {
    read(request) {
      const name = nameOf(request);
      const pairs = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
      const found = pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) =>
        pair.slice(name.length + 1)
      );
      // If the request has several cookies of this name, use none: another host of the domain might have set
      // one of them.
      return found.length === 1 && /^[\x21-\x7e]{1,512}$/.test(found[0]!) ? found[0]! : null;
    },
    write(request, plain) {
      const age = plain === null ? 0 : lifetime / 1000;
      const secure = isSecure(request) ? "; Secure" : "";
      return `${nameOf(request)}=${plain ?? ""}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax${secure}`;
    },
  };
}
