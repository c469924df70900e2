/** Serves the API with the pages, for tests in a real browser. */
import type { Page } from "playwright-core";
import { type Clock, systemClock } from "../../../src/domain/clock.ts";
import { addWebPages } from "../../../src/web/pages.ts";
import { type TestApi, testApi } from "../clients/api.ts";
import { type Account, PASSWORD } from "../fixtures/accounts.ts";

export interface WebSite extends AsyncDisposable {
  readonly api: TestApi;
  /** Its URL, without a path. */
  readonly url: string;
}

export async function serveSite(): Promise<WebSite> {
  await using stack = new AsyncDisposableStack();
  // The pages are added before the API's clock is known.
  let api: TestApi | null = null;
  const clock: Clock = { ...systemClock, now: () => (api?.clock ?? systemClock).now() };
  api = stack.use(await testApi({ pages: [addWebPages({ publicUrl: null, clock })] }));
  const { app } = api;
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => app.fetch(request),
  );
  stack.defer(() => server.shutdown());
  const parts = stack.move();
  return {
    api,
    url: `http://localhost:${(server.addr as Deno.NetAddr).port}`,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** Logs in with the password of {@link Account}, and waits for the first page. */
export async function logInAt(page: Page, url: string, { email }: Account): Promise<void> {
  await page.goto(`${url}/login`);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("link", { name: "Overview" }).waitFor();
}
