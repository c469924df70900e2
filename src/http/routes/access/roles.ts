/** The schema of a member's role in a workspace. */
import { z } from "@hono/zod-openapi";
import { type Role, ROLES } from "../../../domain/access/roles.ts";

export const RoleName = z.enum(ROLES as [Role, ...Role[]]).openapi("Role");
