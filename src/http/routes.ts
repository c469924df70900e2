/** Every endpoint of the API: what is served and what the OpenAPI document describes. One line a file in `routes/`. */
import type { Endpoint } from "./endpoint.ts";
import { tagEndpoints } from "./routes/tags.ts";
import { tokenEndpoints } from "./routes/tokens.ts";
import { userEndpoints } from "./routes/user.ts";
import { usersEndpoints } from "./routes/users.ts";

export const ENDPOINTS: readonly Endpoint[] = [
  ...tagEndpoints,
  ...tokenEndpoints,
  ...userEndpoints,
  ...usersEndpoints,
];
