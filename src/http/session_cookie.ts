/** The cookie that holds a session's secret. */
import { SESSION_LIFETIME } from "../domain/access/session.ts";

/** Browsers accept this name only over https, for the whole host, and never from another host. */
const SECURE_NAME = "__Host-rearguard_session";
/** Name over plain http, as on http://localhost: browsers refuse `__Host-` there. */
const PLAIN_NAME = "rearguard_session";

export interface SessionCookie {
  /** Returns the session's secret in a request; null if there is none. */
  read(request: Request): string | null;
  /** Returns the `Set-Cookie` header with a session's secret; null: one that deletes the cookie. */
  write(request: Request, plain: string | null): string;
}

/** @param publicUrl The URL at which browsers reach this control plane; null: as in the request. */
export function sessionCookie(publicUrl: string | null): SessionCookie {
  const isSecure = (request: Request) => (publicUrl ?? request.url).startsWith("https:");
  return {
    read(request) {
      const name = isSecure(request) ? SECURE_NAME : PLAIN_NAME;
      const pairs = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
      const found = pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) =>
        pair.slice(name.length + 1)
      );
      // Two cookies of one name mean that somebody else has set one of them.
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
