import assert from "node:assert/strict";
import { StorageRequests } from "./storage_requests.ts";

Deno.test("a request that can't be sent rejects once, also when its run is cancelled later", async () => {
  const run = new AbortController();
  const requests = new StorageRequests(() => {
    throw new Error("too large");
  });
  const request = { type: "upload.abort", upload_id: 1 } as never;
  await assert.rejects(requests.request(request, run.signal), /too large/);
  // An unhandled rejection would end the agent. It also fails this test.
  run.abort(new Error("cancelled"));
  await new Promise((resolve) => setTimeout(resolve, 0));
});
