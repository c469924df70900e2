import assert from "node:assert/strict";
import { coverageOf, type CoveringSource, type InventoryItem, itemId } from "./inventory.ts";

const directory = (path: string, mount = "/"): InventoryItem => ({
  kind: "directory",
  engine: null,
  name: path,
  path,
  mount,
  size: null,
});
const database = (engine: string, name: string): InventoryItem => ({
  kind: "database",
  engine,
  name,
  path: null,
  mount: null,
  size: 1,
});
const files = (path: string, ...excluded: string[]): CoveringSource => ({ path, excluded });

Deno.test("a directory is covered by a task of it, or of a directory above on the same file system", () => {
  const cases: [InventoryItem, CoveringSource, string][] = [
    [directory("/srv"), files("/srv"), "all"],
    [directory("/srv"), files("/srv/"), "all"],
    [directory("/srv"), files("//srv/./"), "all"],
    [directory("/srv"), files("/"), "all"],
    [directory("/var/www"), files("/var"), "all"],
    [directory("/var/www"), files("/var/www2"), "none"],
    [directory("/var/www"), files("/var/w"), "none"],
    [directory("/home"), files("/home/ann"), "part"],
    [directory("/data", "/data"), files("/"), "none"],
    [directory("/data", "/data"), files("/data"), "all"],
    [directory("/data/x", "/data"), files("/data"), "all"],
    [directory("/var/www"), files("/var", "www"), "none"],
    [directory("/var/www"), files("/var", "www/"), "none"],
    [directory("/var/www"), files("/var", "w*"), "none"],
    [directory("/var/www"), files("/", "/var/www"), "none"],
    [directory("/var/www"), files("/", "/var"), "none"],
    [directory("/var/www"), files("/", "/v*/www"), "none"],
    [directory("/var/www"), files("/var", "./www"), "none"],
    [directory("/a/var/www"), files("/a", "./www"), "all"],
    [directory("/a/var/www"), files("/a", "var/www"), "none"],
    [directory("/a/b/var/www"), files("/a", "**/www"), "none"],
    [directory("/var/www"), files("/var", "www/cache", "*.tmp", "ww", "[", "/var/www/x"), "all"],
    [directory("/srv"), { engine: null, host: null, names: ["*"] }, "none"],
  ];
  for (const [item, source, expected] of cases) {
    assert.equal(coverageOf(item, [source]), expected, `${item.path} by ${JSON.stringify(source)}`);
  }
});

Deno.test("a database is covered by a task that names it or all, on the server's own engine", () => {
  const shop = database("one", "shop");
  const by = (engine: string | null, host: string | null, ...names: string[]) =>
    coverageOf(shop, [{ engine, host, names }]);
  assert.equal(by("one", null, "shop"), "all");
  assert.equal(by(null, "127.0.0.1", "x", "shop"), "all");
  assert.equal(by("one", "/run/socket", "*"), "all");
  assert.equal(by("two", null, "*"), "none");
  assert.equal(by("one", "db.example.com", "*"), "none");
  assert.equal(by("one", null, "sho*"), "none");
  assert.equal(coverageOf(shop, [files("/")]), "none");
});

Deno.test("the best of several tasks counts, and ids tell items apart", () => {
  assert.equal(coverageOf(directory("/home"), [files("/x"), files("/home/a"), files("/home")]), "all");
  assert.equal(coverageOf(directory("/home"), []), "none");
  assert.equal(itemId(directory("/home")), "directory:/home");
  assert.equal(itemId(database("one", "a:b")), "database:one:a:b");
});
