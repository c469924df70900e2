import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { STREAM_TYPES } from "../../../http/routes/notifications/stream_types.ts";
import { addWebPages } from "../../pages.ts";

const open = () => testApi({ pages: [addWebPages({ publicUrl: null })] });

Deno.test("a stream is made and changed by forms, its value is never shown, and the matrix says who is told", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  assert.match((await browser.call("GET", "/alerts")).text, /Nobody is told when a backup fails\./);
  const choice = (await browser.call("GET", "/alerts/new")).text;
  for (const { type } of STREAM_TYPES) assert.ok(choice.includes(`/alerts/new?type=${type}"`), type);
  const form = (await browser.call("GET", "/alerts/new?type=webhook")).text;
  assert.match(form, /name="events\[\]" value="failure" checked/);
  assert.match(form, /name="events\[\]" value="success"\/>/);

  const fields = { csrf_token: browser.csrf, type: "webhook", label: "<b>Ops</b>", "events[]": "late" };
  const wrong = await browser.submit("/alerts/new", { ...fields, value: "not-a-url-secret" });
  assert.equal(wrong.status, 422);
  assert.match(wrong.text, /id="value-error"/);
  assert.ok(!wrong.text.includes("not-a-url-secret"));
  assert.match(wrong.text, /value="late" checked/);
  assert.ok(!/value="failure" checked/.test(wrong.text), "the choice of events is kept");

  const made = await browser.submit("/alerts/new", {
    ...fields,
    value: "https://hooks.example.com/x-secret",
  });
  const path = made.headers.get("location")!;
  assert.match(path, /^\/alerts\/\d+$/);
  const page = (await browser.call("GET", path)).text;
  assert.match(page, /Nothing was sent through it yet\./);
  const matrix = (await browser.call("GET", "/alerts")).text;
  assert.ok(matrix.includes("&lt;b&gt;Ops&lt;/b&gt;"));
  assert.match(matrix, /failure<span class="muted small">, nobody is told<\/span>/);
  const edit = (await browser.call("GET", `${path}/edit`)).text;
  assert.match(edit, /One is stored\. Leave this empty to keep it\./);
  assert.ok(![page, matrix, edit].some((text) => text.includes("x-secret")));
  const changed = await browser.submit(`${path}/edit`, { ...fields, label: "Ops", "events[]": "failure" });
  assert.equal(changed.headers.get("location"), path);
  const { data } = (await browser.call("GET", `/api/notification-streams/${path.split("/")[2]}`)).body;
  assert.deepEqual([data.label, data.events.failure, data.events.late, data.is_value_set], [
    "Ops",
    true,
    false,
    true,
  ]);
});
