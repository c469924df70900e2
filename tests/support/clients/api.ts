/**
 * Calls the API as a client would. Each API under test has a database of its own. Compares every response
 * with its documented schema.
 */
import type { Role } from "../../../src/domain/access/roles.ts";
import assert from "node:assert/strict";
import { ABILITIES, type Ability } from "../../../src/domain/abilities.ts";
import { type AppOptions, createApp } from "../../../src/http/app.ts";
import { ENDPOINTS } from "../../../src/http/routes.ts";
import { insertUser } from "../../../src/store/access/users.ts";
import { issueToken } from "../../../src/services/access/tokens.ts";
import { type TestServices, testServices } from "../fixtures/database.ts";

export interface ApiAnswer {
  status: number;
  headers: Headers;
  // deno-lint-ignore no-explicit-any
  body: any;
}

export interface ApiClient {
  readonly userId: number;
  /** The workspace of the token. */
  readonly workspaceId: number;
  readonly token: string;
  /**
   * Sends a request. If `body` is an object, it is sent as JSON. If it is a string, it is sent unchanged,
   * with the content type in `headers`.
   */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer>;
}

export interface TestApi extends TestServices {
  readonly app: ReturnType<typeof createApp>;
  /** A client of an administrator, with every ability. */
  readonly admin: ApiClient;
  /**
   * Creates a user who is not an administrator, and returns a client with these abilities. If `abilities` is
   * absent, the client has all abilities.
   */
  user(abilities?: readonly Ability[]): Promise<ApiClient>;
  /** Creates a user who is a member of the client's workspace, and returns a client for that workspace. */
  member(of: ApiClient, role: Role, abilities?: readonly Ability[]): Promise<ApiClient>;
  /** Returns a client of the same user for the user's own workspace. The client has a new token. */
  ofOwnWorkspace(client: ApiClient): Promise<ApiClient>;
  /** Returns a client with a new token of the same user and workspace. */
  tokenOf(client: ApiClient, abilities: readonly Ability[]): Promise<ApiClient>;
}

/** Opens the API: `await using api = await testApi()`. */
export async function testApi(options: Partial<Omit<AppOptions, "services">> = {}): Promise<TestApi> {
  const test = await testServices();
  const app = createApp({ ...options, services: test.services });
  const client = async (
    userId: number,
    abilities: readonly Ability[],
    workspaceId?: number,
  ): Promise<ApiClient> => {
    const token = { userId, workspaceId, name: "test", abilities, expiresAt: null };
    const { plain, row } = await issueToken(test.services, token);
    return {
      userId,
      workspaceId: row.workspace_id,
      token: plain,
      call: (method, path, body, headers) => callApi(app, plain, { method, path, body, headers }),
    };
  };
  const newUser = async (isAdmin: boolean) => {
    const now = test.clock.now();
    const email = `${crypto.randomUUID()}@example.test`;
    return (await insertUser(test.database, { name: "Jo Doe", email, is_admin: isAdmin }, now)).id;
  };
  return {
    ...test,
    app,
    admin: await client(await newUser(true), ABILITIES),
    user: async (abilities = ABILITIES) => await client(await newUser(false), abilities),
    async member({ workspaceId }, role, abilities = ABILITIES) {
      const userId = await newUser(false);
      await test.database`
        insert into workspace_members (workspace_id, user_id, role, created_at)
        values (${workspaceId}, ${userId}, ${role}, ${test.clock.now()})`;
      return await client(userId, abilities, workspaceId);
    },
    ofOwnWorkspace: ({ userId }) => client(userId, ABILITIES),
    tokenOf: ({ userId, workspaceId }, abilities) => client(userId, abilities, workspaceId),
  };
}

interface ApiCall {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

async function callApi(
  app: ReturnType<typeof createApp>,
  token: string,
  { method, path, body, headers = {} }: ApiCall,
): Promise<ApiAnswer> {
  const isText = typeof body === "string";
  const response = await app.request(path, {
    method,
    body: body === undefined ? undefined : isText ? body : JSON.stringify(body),
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body !== undefined && !isText ? { "Content-Type": "application/json" } : {}),
      ...headers,
    },
  });
  const text = await textOf(response);
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  const answer = {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : text,
  };
  assertDocumented(method, path, answer);
  return answer;
}

/** Returns the body as text. A stream of changes never ends, so only its first event is returned. */
async function textOf(response: Response): Promise<string> {
  if (response.headers.get("content-type") !== "text/event-stream") return await response.text();
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("event: refresh")) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += value;
  }
  await reader.cancel();
  return text;
}

/**
 * Asserts that a successful response matches the OpenAPI document: no part of the response is undocumented.
 */
function assertDocumented(method: string, path: string, { status, body }: ApiAnswer): void {
  const segments = path.split("?")[0]!.split("/");
  const fitting = ENDPOINTS.filter((each) => {
    const own = each.path.split("/");
    return each.method === method.toLowerCase() && own.length === segments.length &&
      own.every((segment, index) => segment.startsWith("{") || segment === segments[index]);
  });
  // A path without parameters has precedence, as in the application.
  const endpoint = fitting.find((each) => each.path === segments.join("/")) ?? fitting[0];
  const content = endpoint?.answer.content;
  if (status >= 300 || content?.type !== "application/json") return;
  assert.equal(status, endpoint!.answer.status, `${method} ${path} answers an undocumented status`);
  const parsed = content.schema.safeParse(body);
  assert.ok(parsed.success, `${method} ${path} answers otherwise than documented: ${parsed.error}`);
}
