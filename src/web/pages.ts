/** Adds the pages for browsers to the HTTP application. */
import { addAccountPage } from "./pages/account.tsx";
import { addCodePage, addLoginPage, addSetupPage, addStepUpPage } from "./pages/login.tsx";
import { addOpenidPages } from "./pages/openid.tsx";
import { addPasskeysPage } from "./pages/passkeys.tsx";
import { addSecondFactorPage } from "./pages/second_factor.tsx";
import type { App } from "../http/observe.ts";
import { Site } from "./site.ts";

/** The files of the pages, each with its media type. */
const FILES: Readonly<Record<string, string>> = {
  "rearguard.css": "text/css; charset=utf-8",
  "icon.svg": "image/svg+xml",
  "passkeys.js": "text/javascript; charset=utf-8",
};

/**
 * @param publicUrl The URL at which browsers reach this control plane; if null, the request's URL is used.
 */
export function addWebPages({ publicUrl }: { publicUrl: string | null }): (app: App) => void {
  return (app) => {
    const site = new Site(app, publicUrl);
    app.get("/", (c) => site.redirect(c, "/account"));
    const pages = [
      addLoginPage,
      addCodePage,
      addSetupPage,
      addStepUpPage,
      addOpenidPages,
      addAccountPage,
      addSecondFactorPage,
      addPasskeysPage,
    ];
    for (const add of pages) add(site);
    for (const [name, type] of Object.entries(FILES)) addFile(app, name, type);
  };
}

function addFile(app: App, name: string, type: string): void {
  let bytes: Promise<Uint8Array<ArrayBuffer>> | null = null;
  app.get(`/assets/${name}`, async () => {
    bytes ??= Deno.readFile(new URL(`./assets/${name}`, import.meta.url));
    return new Response(await bytes, { headers: { "Content-Type": type, "Cache-Control": "no-cache" } });
  });
}
