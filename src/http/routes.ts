/** Every endpoint of the API: what is served and what the OpenAPI document describes. One line a file in `routes/`. */
import type { Endpoint } from "./endpoint.ts";
import { tagEndpoints } from "./routes/tags.ts";

export const ENDPOINTS: readonly Endpoint[] = [
  ...tagEndpoints,
];
