import assert from "node:assert/strict";
import { testApi } from "../../../tests/support/clients/api.ts";
import { createApp } from "../app.ts";

const PATH = "http://localhost/api/tags";

Deno.test("pages carry links and stats as the document shows them", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  assert.deepEqual((await call("GET", "/api/tags")).body, {
    data: [],
    links: { first: `${PATH}?page=1`, last: `${PATH}?page=1`, prev: null, next: null },
    meta: { current_page: 1, from: null, last_page: 1, path: PATH, per_page: 15, to: null, total: 0 },
  });
  for (let number = 1; number <= 5; number++) await call("POST", "/api/tags", { label: `tag ${number}` });

  const middle = (await call("GET", "/api/tags?search=tag%20&per_page=2&page=2")).body;
  assert.deepEqual(middle.data.map((tag: { label: string }) => tag.label), ["tag 3", "tag 4"]);
  const link = (page: number) => `${PATH}?search=tag%20&per_page=2&page=${page}`;
  assert.deepEqual(middle.links, { first: link(1), last: link(3), prev: link(1), next: link(3) });
  assert.deepEqual(middle.meta, {
    current_page: 2,
    from: 3,
    last_page: 3,
    path: PATH,
    per_page: 2,
    to: 4,
    total: 5,
  });

  const encoded = (await call("GET", "/api/tags?%70age=2&per_page=2")).body.links;
  assert.equal(encoded.next, `${PATH}?per_page=2&page=3`);

  const beyond = (await call("GET", "/api/tags?per_page=2&page=9")).body;
  assert.deepEqual([beyond.data, beyond.meta.from, beyond.meta.to, beyond.meta.total], [[], null, null, 5]);
  assert.deepEqual([beyond.links.prev, beyond.links.next], [`${PATH}?per_page=2&page=8`, null]);
});

Deno.test("a page outside its bounds is refused, an empty parameter is the default", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  for (
    const query of ["per_page=0", "per_page=101", "per_page=x", "page=0", "page=-1", "page=1.5", "page=1e2"]
  ) {
    const answer = await call("GET", `/api/tags?${query}`);
    assert.deepEqual([answer.status, Object.keys(answer.body.errors)], [422, [query.split("=")[0]]], query);
  }
  const both = await call("GET", "/api/tags?page=0&per_page=500");
  assert.deepEqual(both.body.errors, {
    page: ["The page field must be at least 1."],
    per_page: ["The per page field must be at most 100."],
  });
  const empty = (await call("GET", "/api/tags?page=&per_page=")).body.meta;
  assert.deepEqual([empty.current_page, empty.per_page], [1, 15]);
});

Deno.test("links lead to the public address where one is configured", async () => {
  await using api = await testApi();
  const app = createApp({ services: api.services, publicUrl: "https://backups.example.com/rearguard/" });
  const response = await app.request("http://10.0.0.5:8000/api/tags?per_page=3", {
    headers: { Authorization: `Bearer ${api.admin.token}` },
  });
  const { links, meta } = await response.json();
  assert.equal(links.first, "https://backups.example.com/rearguard/api/tags?per_page=3&page=1");
  assert.equal(meta.path, "https://backups.example.com/rearguard/api/tags");
});
