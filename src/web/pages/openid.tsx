/** The addresses `/login/oidc` and `/login/oidc/callback`: a log-in with the OpenID Connect provider. */
import { CALLBACK_PATH } from "../../http/routes/access/openid.ts";
import { nextPath, type Site } from "../site.ts";
import { showCode, showLogin } from "./login.tsx";

export function addOpenidPages(site: Site): void {
  // A link, not a form: the pages' policy permits no form that leads to another site.
  site.app.get("/login/oidc", async (c) => {
    const next = nextPath(c.req.query("next"));
    const body = { note: encodeURIComponent(next), fresh: c.req.query("fresh") === "1" };
    const answer = await site.call(c, "POST", "/api/login/openid/start", { body });
    if (answer.status !== 200) return await showLogin(c, { site, next, refused: answer });
    c.header("Set-Cookie", answer.cookie!);
    return c.redirect(answer.body.data.url, 303);
  });
  site.app.get(CALLBACK_PATH, async (c) => {
    const { search, searchParams } = new URL(c.req.url);
    const body = { query: search.slice(1) || "none" };
    const answer = await site.call(c, "POST", "/api/login/openid", { body });
    const { challenge } = answer.body;
    if (answer.status !== 200 && challenge === undefined) {
      return await showLogin(c, { site, next: nextPath(undefined), refused: answer });
    }
    // The API has checked the parameter `state`, so nobody has changed it since the log-in began.
    const next = nextPath(decoded(/\.(.*)$/.exec(searchParams.get("state") ?? "")?.[1] ?? ""));
    if (challenge !== undefined) return showCode({ site, challenge, next }, c);
    return site.redirect(c, next, answer.cookie);
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
