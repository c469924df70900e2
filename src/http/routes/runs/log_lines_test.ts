import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newOutput, newRun, newTask } from "../../../../tests/support/fixtures/records.ts";
import { compactOutput } from "../../../store/runs/run_output.ts";

const TIME = "2026-01-05T12:00:00.000Z";

Deno.test("the last lines of a log are listed, those before and after a position, compacted or not", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newRun(api.database, await newTask(client), api.clock.now());
  for (let sequence = 1; sequence <= 900; sequence++) {
    await newOutput(api.database, id, 2 * sequence, `${TIME} ${sequence}a ü😀\n${TIME} ${sequence}b\n`);
  }
  const list = async (query: string) => {
    const { body } = await client.call("GET", `/api/backup-task-logs/${id}/lines?${query}`);
    const texts = body.data.map(({ text }: { text: string }) => text.slice(TIME.length + 1));
    return [texts.length, texts[0], texts.at(-1), body.has_older, body.has_newer];
  };
  for (const isCompacted of [false, true]) {
    if (isCompacted) await compactOutput(api.database, id);
    assert.deepEqual(await list("limit=4"), [4, "899a ü😀", "900b", true, false]);
    assert.deepEqual(await list("limit=3"), [4, "899a ü😀", "900b", true, false], "events stay whole");
    assert.deepEqual(await list("limit=4&before=1798"), [4, "897a ü😀", "898b", true, true]);
    assert.deepEqual(await list("before=5"), [4, "1a ü😀", "2b", false, true]);
    assert.deepEqual(await list("limit=2&after=0"), [2, "1a ü😀", "1b", false, true]);
    assert.deepEqual(await list("limit=2&after=3"), [2, "2a ü😀", "2b", true, true]);
    assert.deepEqual(await list("after=1798"), [2, "900a ü😀", "900b", true, false]);
    assert.deepEqual(await list("after=4&before=8"), [2, "3a ü😀", "3b", true, false]);
    assert.deepEqual(await list("limit=5000"), [1800, "1a ü😀", "900b", false, false]);
    assert.deepEqual(await list("search=99A&limit=2"), [2, "799a ü😀", "899a ü😀", true, false]);
    assert.deepEqual(await list("search=99A&before=1000"), [5, "99a ü😀", "499a ü😀", false, true]);
    assert.deepEqual(await list("search=x"), [0, undefined, undefined, false, false]);
  }
});

Deno.test("the warnings and notes of a log are listed, and its output is downloaded as text", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newRun(api.database, await newTask(client), api.clock.now());
  const output = `${TIME} one\n[Rearguard: 7 characters]\n\n${TIME} Warning: <b>two</b>\n`;
  await newOutput(api.database, id, 1, output);
  const path = `/api/backup-task-logs/${id}`;
  const list = async (query: string) => (await client.call("GET", `${path}/lines${query}`)).body.data;
  assert.deepEqual(await list(""), [
    { sequence: 1, text: `${TIME} one`, stream: "output" },
    { sequence: 1, text: "[Rearguard: 7 characters]", stream: "note" },
    { sequence: 1, text: "", stream: "output" },
    { sequence: 1, text: `${TIME} Warning: <b>two</b>`, stream: "warning" },
  ]);
  assert.deepEqual((await list("?stream=warning")).length, 1);
  const response = await api.app.request(`${path}/output`, {
    headers: { Authorization: `Bearer ${client.token}` },
  });
  const { headers } = response;
  assert.equal(await response.text(), output);
  assert.equal(headers.get("Content-Type"), "text/plain; charset=utf-8");
  assert.equal(headers.get("Content-Disposition"), `attachment; filename="log-${id}.txt"`);
  const other = await api.user();
  for (const name of ["lines", "output"]) {
    assert.equal((await other.call("GET", `${path}/${name}`)).status, 404);
  }
  assert.equal((await client.call("GET", `${path}/lines?limit=5001`)).status, 422);
});
