import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newDestination } from "../../../../tests/support/fixtures/records.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { DESTINATION_TYPES } from "../../../definitions/destinations/registry.ts";
import { addWebPages } from "../../pages.ts";

const open = () => testApi({ pages: [addWebPages({ publicUrl: null })] });

Deno.test("every type of destination has a form with its fields, and secrets are never sent back", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const choice = (await browser.call("GET", "/destinations/new")).text;
  for (const type of DESTINATION_TYPES) {
    assert.ok(choice.includes(`/destinations/new?type=${type}"`), type);
    const form = (await browser.call("GET", `/destinations/new?type=${type}`)).text;
    assert.match(form, /name="shown_fields\[\]"/, type);
  }
  const fields = {
    csrf_token: browser.csrf,
    type: "s3",
    label: "Bucket",
    unchecked: "1",
    s3_access_key: "AKIAKEY",
    s3_secret_key: "very-secret",
  };
  const s3 = (await browser.call("GET", "/destinations/new?type=s3")).text;
  const shown = [...s3.matchAll(/name="shown_fields\[\]" value="(\w+)"/g)].map(([, name]) => name!);
  const region = shown.find((name) => name.endsWith("region"))!;
  const send = (extra: Record<string, string>) =>
    browser.send(
      "POST",
      "/destinations/new",
      new URLSearchParams([
        ...Object.entries({ ...fields, ...extra }),
        ...shown.map((name) => ["shown_fields[]", name]),
      ]).toString(),
      { "Content-Type": "application/x-www-form-urlencoded" },
    );
  const refused = await send({});
  assert.equal(refused.status, 422);
  assert.match(refused.text, /id="s3_bucket_name-error"/);
  assert.ok(!refused.text.includes("very-secret"));
  const saved = await send({ s3_bucket_name: "nightly", [region]: "eu-central-1" });
  assert.equal(saved.status, 303, saved.text);
  assert.match(saved.headers.get("location")!, /^\/destinations\/\d+$/);
  const page = (await browser.call("GET", saved.headers.get("location")!)).text;
  assert.match(page, /nightly \(eu-central-1\)/);
  const edit = (await browser.call("GET", `${saved.headers.get("location")}/edit`)).text;
  assert.match(edit, /One is stored\. Leave this empty to keep it\./);
  assert.ok(!edit.includes("very-secret"));
});

Deno.test("a destination is checked before it is saved, and not saved if the check fails", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const fields = { csrf_token: browser.csrf, type: "local", label: "Disk", "shown_fields[]": "local_path" };
  const refused = await browser.submit("/destinations/new", { ...fields, local_path: "/backups" });
  assert.equal(refused.status, 422);
  assert.match(refused.text, /id="remote_server_id-error"|class="notice bad"/);
  assert.match(refused.text, /value="\/backups"/);
  assert.match((await browser.call("GET", "/destinations")).text, /No destination yet\./);
  const id = await newDestination(browser, { label: "<u>disk</u>" });
  assert.match((await browser.call("GET", "/destinations")).text, /&lt;u&gt;disk&lt;\/u&gt;/);
  const removed = await browser.submit(`/destinations/${id}/delete`, { csrf_token: browser.csrf });
  assert.equal(removed.headers.get("location"), "/destinations");
});
