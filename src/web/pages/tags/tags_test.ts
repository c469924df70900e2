import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { memberBrowser } from "../../../../tests/support/fixtures/accounts.ts";
import { addWebPages } from "../../pages.ts";

Deno.test("tags are created, changed and deleted by forms, which keep what was typed", async () => {
  await using api = await testApi({ pages: [addWebPages({ publicUrl: null })] });
  const client = await api.user();
  const browser = await memberBrowser(api, client, "manager");
  const csrf = { csrf_token: browser.csrf, next: "/tags" };
  assert.match((await browser.call("GET", "/tags")).text, /No tag yet\./);
  const bad = await browser.submit("/tags", {
    ...csrf,
    label: "",
    description: "kept <b>",
    colour: "#12ab34",
  });
  assert.equal(bad.status, 422);
  assert.match(bad.text, /id="label-error">The label field is required\./);
  assert.match(bad.text, /value="kept &lt;b&gt;"/);
  assert.match(bad.text, /type="color" value="#12ab34"/);
  const fields = { label: "<i>live", description: "", colour: "#12ab34" };
  const made = await browser.submit("/tags", { ...csrf, ...fields });
  assert.deepEqual([made.status, made.headers.get("location")], [303, "/tags"]);
  const [tag] = (await client.call("GET", "/api/tags")).body.data;
  const list = (await browser.call("GET", "/tags")).text;
  assert.match(list, new RegExp(`fill="#12ab34".*href="/tags/${tag.id}">&lt;i&gt;live<`));
  assert.match(list, new RegExp(`href="/tasks\\?tag_id=${tag.id}"`));

  const edit = `/tags/${tag.id}`;
  assert.match((await browser.call("GET", edit)).text, /value="&lt;i&gt;live"/);
  const wrong = await browser.submit(edit, { ...csrf, ...fields, label: "x", colour: "red" });
  assert.equal(wrong.status, 422);
  assert.match(wrong.text, /must be a colour such as/);
  await browser.submit(edit, { ...csrf, ...fields, label: "Live" });
  assert.equal((await client.call("GET", `/api/tags/${tag.id}`)).body.data.label, "Live");

  const viewer = (await (await memberBrowser(api, client, "viewer")).call("GET", "/tags")).text;
  assert.match(viewer, /Live/);
  assert.doesNotMatch(viewer, /action="\/tags/);
  const gone = await browser.submit(`${edit}/delete`, csrf);
  assert.equal(gone.headers.get("location"), "/tags");
  assert.equal((await client.call("GET", `/api/tags/${tag.id}`)).status, 404);
});
