import assert from "node:assert/strict";
import { systemClock } from "../../../src/domain/clock.ts";
import { Children } from "./children.ts";
import { describeTools, missingTools, requireTools } from "./tools.ts";

Deno.test("the installed programs are found with their versions", async () => {
  const tools = await describeTools(["tar", "pg_dump"]);
  for (const tool of ["tar", "zstd", "pzstd", "pg_dump"]) assert.match(tools[tool] ?? "", /^\d+\.\d+/, tool);
});

Deno.test("the version of MariaDB's dump program is its distribution's, not its file format's", async () => {
  assert.match((await describeTools(["mariadb-dump"]))["mariadb-dump"] ?? "", /-MariaDB$/);
});

Deno.test("a missing program is named with the command that installs it", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  await assert.rejects(
    requireTools(children, ["tar", "pzstd"], { pzstd: "/nowhere/pzstd" }),
    {
      name: "RunFailedError",
      message: "Cannot find pzstd on this server. Install with: apt-get install zstd",
    },
  );
  assert.match(missingTools(["tar", "zstd", "pzstd"]), /tar, zstd, pzstd .*apt-get install tar zstd$/);
});
