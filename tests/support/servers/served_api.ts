/** Serves the API on a free port, without an agent. */
import { ABILITIES, type Ability } from "../../../src/domain/abilities.ts";
import { systemClock } from "../../../src/domain/clock.ts";
import type { ServiceContext } from "../../../src/services/context.ts";
import { issueToken } from "../../../src/services/access/tokens.ts";
import { insertUser } from "../../../src/store/access/users.ts";
import { ApiCaller } from "../clients/client.ts";
import { serve } from "./control_plane.ts";
import { onSystemClock, testServices } from "../fixtures/database.ts";

export interface ServedApi extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  readonly api: ApiCaller;
  readonly services: ServiceContext;
  /** Creates another token of the same user, and returns its text. */
  tokenWith(abilities: readonly Ability[]): Promise<string>;
}

export async function startApi(): Promise<ServedApi> {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await testServices());
  const services = stack.use(onSystemClock(test.services)).services;
  const { url } = await serve(services, stack);
  const user = { name: "Ada", email: "ada@example.test", is_admin: false };
  const { id: userId } = await insertUser(services.database, user, systemClock.now());
  const tokenWith = async (abilities: readonly Ability[]) =>
    (await issueToken(services, { userId, name: "tests", abilities, expiresAt: null })).plain;
  const token = await tokenWith(ABILITIES);
  const parts = stack.move();
  return {
    url,
    token,
    api: new ApiCaller(url, token),
    services,
    tokenWith,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
