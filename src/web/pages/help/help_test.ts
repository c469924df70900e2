import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { projectFiles } from "../../../../tests/support/fixtures/documents.ts";
import { addWebPages } from "../../pages.ts";

Deno.test("the help has every document, its links stay in it and lead somewhere, and it is searched", async () => {
  await using api = await testApi({ pages: [addWebPages({ publicUrl: null })] });
  const browser = await loggedIn(api, await newAccount(api));
  const contents = (await browser.call("GET", "/help")).text;
  assert.ok(
    contents.indexOf("recover/lost-control-plane") < contents.indexOf("guide/tasks"),
    "a lost one is first",
  );
  const names = (await projectFiles()).flatMap((file) => /^docs\/([\w/-]+)\.md$/.exec(file)?.[1] ?? []);
  assert.ok(names.length > 25);
  const anchors = new Set<string>();
  const links: string[] = [];
  const pictures = new Set<string>();
  for (const name of ["readme", ...names]) {
    const { status, text } = await browser.call("GET", `/help/${name}`);
    assert.equal(status, 200, name);
    assert.ok(contents.includes(`"/help/${name}"`), name);
    assert.match(text, /<article class="prose"><h1 id="/);
    const article = text.slice(text.indexOf('<article class="prose">'), text.indexOf("</article>"));
    assert.ok(!/<script|<img (?!src="\/assets\/images\/)| style=| on\w+="/.test(article), name);
    for (const [, source, description] of article.matchAll(/<img src="([^"]+)" alt="([^"]*)"/g)) {
      pictures.add(source!);
      assert.notEqual(description, "", name);
    }
    anchors.add(`/help/${name}`);
    for (const [, id] of article.matchAll(/<h\d id="([^"]+)"/g)) anchors.add(`/help/${name}#${id}`);
    for (const [, link] of article.matchAll(/<a href="(\/help\/[^"]+|#[^"]+)"/g)) {
      links.push(link!.startsWith("#") ? `/help/${name}${link}` : link!);
    }
  }
  assert.deepEqual(links.filter((link) => !anchors.has(link)), []);
  assert.ok(pictures.size >= 2);
  for (const source of pictures) {
    const response = await api.app.request(source);
    assert.equal(response.status, 200, source);
    assert.equal(response.headers.get("content-type"), "image/png");
    assert.match(response.headers.get("cache-control")!, /immutable/);
    const [, ...signature] = new Uint8Array(await response.arrayBuffer()).slice(0, 4);
    assert.equal(String.fromCharCode(...signature), "PNG");
  }
  const found = (await browser.call("GET", "/help?q=trash")).text;
  assert.match(found, /href="\/help\/guide\/retention#the-trash"/);
  assert.match((await browser.call("GET", "/help?q=%3Cscript%3E")).text, /nothing about “&lt;script&gt;”/);
  assert.equal((await browser.call("GET", "/help/guide/nothing")).status, 404);
});
