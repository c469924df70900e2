/** A message for the next page, kept in a cookie for a few seconds. */
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { SiteContext } from "./site.ts";

/** A message that a page shows once, after an action. */
export interface Flash {
  readonly text: string;
  readonly tone: "good" | "bad";
}

const NAME = "rearguard_flash";
/**
 * Maximum number of characters of a message. Browsers refuse cookies above 4,096 bytes, and an escaped
 * character takes up to 12 bytes.
 */
const MAX_LENGTH = 300;

/** Lets the next page show a message. */
export function setFlash(c: SiteContext, { text, tone }: Flash): void {
  const kept = text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH - 1)}…`;
  setCookie(c, NAME, JSON.stringify({ text: kept.toWellFormed(), tone }), {
    path: "/",
    maxAge: 30,
    httpOnly: true,
    sameSite: "Lax",
  });
}

/** Returns the message for this page, and deletes its cookie; null if there is none. */
export function takeFlash(c: SiteContext): Flash | null {
  const kept = getCookie(c, NAME);
  // htmx fetches parts of the page that is already shown. The message is for the next whole page.
  if (kept === undefined || c.req.method !== "GET" || c.req.header("HX-Request") === "true") return null;
  deleteCookie(c, NAME, { path: "/" });
  try {
    const { text, tone } = JSON.parse(kept);
    return typeof text === "string" && (tone === "good" || tone === "bad") ? { text, tone } : null;
  } catch {
    return null;
  }
}
