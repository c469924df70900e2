/** Starts and controls Debian's Chromium, for tests in a real browser. */
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { findProgram } from "../programs.ts";

const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-port=0",
];

export interface Chromium extends AsyncDisposable {
  /** Opens a page in a context of its own: it shares no cookies with other pages. */
  newPage(options?: BrowserContextOptions): Promise<Page>;
}

/** Starts Chromium with an empty profile. */
export async function startChromium(): Promise<Chromium> {
  await using stack = new AsyncDisposableStack();
  const profile = await Deno.makeTempDir({ prefix: "rearguard-chromium-" });
  stack.defer(() => Deno.remove(profile, { recursive: true }));
  const child = new Deno.Command((await findProgram("chromium"))!, {
    args: [...ARGUMENTS, `--user-data-dir=${profile}`, "about:blank"],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  stack.defer(async () => void await child.status);
  const { url, rest } = await debuggerUrl(child.stderr);
  stack.defer(() => rest);
  const browser = await chromium.connectOverCDP(url);
  const contexts: BrowserContext[] = [];
  stack.defer(async () => {
    for (const context of contexts) await context.close();
    const session = await browser.newBrowserCDPSession();
    await session.send("Browser.close").catch(() => {});
    await browser.close();
  });
  const parts = stack.move();
  return {
    async newPage(options) {
      const context = await browser.newContext(options);
      contexts.push(context);
      return await context.newPage();
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** Reads the address of Chromium's debugger. `rest` resolves when Chromium has ended. */
async function debuggerUrl(
  stderr: ReadableStream<Uint8Array>,
): Promise<{ url: string; rest: Promise<void> }> {
  const reader = stderr.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`Cannot start Chromium: ${text}`);
    text += decoder.decode(value, { stream: true });
    const url = /DevTools listening on (\S+)/.exec(text)?.[1];
    if (url === undefined) continue;
    const rest = (async () => {
      while (!(await reader.read()).done);
    })();
    return { url, rest };
  }
}

/** Gives the page an authenticator that verifies its user, like the one in a phone or laptop. */
export async function addAuthenticator(page: Page) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    async credentials() {
      return (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
    },
    /** Adds a copy of a credential that another page's authenticator holds. */
    async add(credential: Awaited<ReturnType<typeof this.credentials>>[number]) {
      await session.send("WebAuthn.addCredential", { authenticatorId, credential });
    },
    async setUserVerified(isUserVerified: boolean) {
      await session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });
    },
  };
}
