import assert from "node:assert/strict";
import { Api } from "./api.ts";

/**
 * Sends a request to a server that returns `answer`. The server takes the place of a control plane or a
 * proxy. Returns the resulting error.
 */
async function errorOf(answer: Response) {
  const tokens: (string | null)[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    tokens.push(request.headers.get("authorization"));
    return answer;
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const error = await new Api({ url, token: "rg_test" }).post("pause it", "/api/backup-tasks/{id}/pause", {
    id: 1,
  }).then(
    () => assert.fail("It was taken for a success"),
    (error) => error,
  );
  assert.equal(tokens.length, 1);
  return { code: error.code, message: error.message.replaceAll(url, "URL") };
}

function json(status: number, message: string, errors?: Record<string, string[]>): Response {
  return Response.json({ error: "…", message, errors }, { status });
}

Deno.test("each kind of refusal has its exit code, and its reason in one line", async () => {
  const nothing = { code: 5, message: "Cannot pause it: Backup task not found" };
  assert.deepEqual(await errorOf(json(404, "Backup task not found")), nothing);
  assert.deepEqual(await errorOf(json(409, "Two\nlines.")), {
    code: 6,
    message: "Cannot pause it: Two lines.",
  });
  assert.deepEqual(await errorOf(json(403, "No.")), { code: 4, message: "Cannot pause it: No." });
  assert.equal((await errorOf(json(401, "Unauthenticated."))).code, 4);
  assert.equal((await errorOf(json(429, "Too many."))).code, 3);
  assert.equal((await errorOf(json(503, "Try again in a moment."))).code, 3);
  assert.equal((await errorOf(json(413, "Too large."))).code, 1);
  assert.deepEqual(
    await errorOf(json(422, "The given data was invalid.", { label: ["A.", "B."], type: ["C."] })),
    {
      code: 7,
      message: "Cannot pause it: label: A, B; type: C",
    },
  );
});

Deno.test("a response that is not a control plane's is reported as such, and no second request is sent", async () => {
  const page = { headers: { "content-type": "text/html" } };
  assert.deepEqual(await errorOf(new Response("<h1>Bad gateway</h1>", { status: 502, ...page })), {
    code: 3,
    message: "Cannot pause it: URL answered 502",
  });
  assert.deepEqual(await errorOf(new Response("<h1>It works</h1>", page)), {
    code: 3,
    message: "Cannot pause it: the program at URL is not a control plane",
  });
  const moved = new Response(null, { status: 301, headers: { location: "https://backup.example/api/it" } });
  assert.deepEqual(await errorOf(moved), {
    code: 1,
    message: "Cannot pause it: it redirects; log in with --url https://backup.example",
  });
});
