/** `/live`: the stream that says to an open page what has changed. */
import type { Site } from "./site.ts";

export function addLiveStream(site: Site): void {
  site.app.get("/live", (c) => site.stream(c, `/api/live${new URL(c.req.url).search}`));
}
