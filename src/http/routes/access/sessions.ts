/** Defines the endpoints of `/api/sessions`: the caller's own log-in sessions. */
import { z } from "@hono/zod-openapi";
import { endSession, listSessions, type SessionRow } from "../../../services/access/sessions.ts";
import type { Endpoint } from "../../endpoint.ts";
import { deleteEndpoint, listEndpoint, type Resource } from "../../resource.ts";
import { sessionEnd } from "../../../domain/access/session.ts";
import { isoTime, Time } from "../../input/time.ts";

export const Session = z.object({
  id: z.int(),
  user_id: z.int(),
  is_current: z.boolean().openapi({ description: "Whether the request itself came with this session." }),
  address: z.string().nullable().openapi({ description: "The address from which the user logged in." }),
  user_agent: z.string().nullable().openapi({ description: "The browser, as it describes itself." }),
  created_at: Time,
  authenticated_at: Time.openapi({ description: "When the user last entered the password." }),
  last_used_at: Time.openapi({ description: "To the minute." }),
  expires_at: Time.openapi({
    description: "Later, if the session is used; 14 days after the log-in at most.",
  }),
}).openapi("Session");

export const sessionExample: z.output<typeof Session> = {
  id: 3,
  user_id: 1,
  is_current: true,
  address: "192.0.2.7",
  user_agent: "Mozilla/5.0",
  created_at: "2024-08-07T00:00:00Z",
  authenticated_at: "2024-08-07T00:00:00Z",
  last_used_at: "2024-08-07T00:00:00Z",
  expires_at: "2024-08-07T12:00:00Z",
};

export function presentSession(row: SessionRow & { is_current: boolean }): z.output<typeof Session> {
  return {
    id: row.id,
    user_id: row.user_id,
    is_current: row.is_current,
    address: row.address,
    user_agent: row.user_agent,
    created_at: isoTime(row.created_at),
    authenticated_at: isoTime(row.authenticated_at),
    last_used_at: isoTime(row.last_used_at),
    expires_at: isoTime(sessionEnd(row)),
  };
}

const session: Resource<SessionRow & { is_current: boolean }, z.output<typeof Session>> = {
  name: "Session",
  plural: "Sessions",
  path: "/api/sessions",
  schema: Session,
  example: sessionExample,
  present: presentSession,
};

export const sessionEndpoints: readonly Endpoint[] = [
  listEndpoint(session, { access: "manage-tokens", sorts: ["last_used_at"], list: listSessions }),
  deleteEndpoint(session, {
    access: "manage-tokens",
    description: "Ends the session: its next request is refused, and its open streams end.",
    needsFreshLogin: false,
    remove: endSession,
  }),
];
