/** Every field of a remote server. */
import * as z from "zod";
import { SERVER_CLASSES, type ServerClass } from "../domain/protection.ts";
import { defineFields } from "./fields/field.ts";
import { host } from "./formats/paths.ts";
import { integer, line, secret } from "./formats/text.ts";

export const REMOTE_SERVER_FIELDS = defineFields({
  label: { schema: line(255), help: "name of the server", isRequired: true },
  ip_address: {
    schema: host(),
    help: "address of the server",
    description: "IPv4, IPv6 or a host name; unique with `port`.",
    isRequired: true,
  },
  username: { schema: line(255), help: "user on the server; a note that nothing uses" },
  port: {
    schema: integer(1, 65535),
    help: "SSH port of the server; a note that nothing uses",
    description: "Default 22.",
    default: 22,
  },
  database_password: {
    schema: secret(1000),
    help: "password of the server's databases",
    description: "Password of the server's databases, for tasks without one.",
    isSecret: true,
  },
  runs_at_once: {
    schema: integer(1, 100),
    help: "maximum number of parallel backup runs",
    description: "Maximum number of parallel backup runs. Default 1.",
    default: 1,
  },
  class: {
    schema: z.enum(SERVER_CLASSES),
    help: "whether the server is always on, or intermittent such as a laptop",
    description:
      "`always_on`: an absent agent is reported. `intermittent`, for a laptop and the like: its absence is not " +
      "reported, a due run waits until it is back, and its tasks are late after days. Default `always_on`.",
    default: "always_on" as ServerClass,
  },
  offline_alert_after: {
    schema: integer(0, 31_536_000),
    help: "seconds without the agent after which it is reported",
    description:
      "Seconds that its agent may be disconnected before the `on_failure` streams of its tasks are notified; 0: never. " +
      "Null: the control plane's default (`AGENT_OFFLINE_SECONDS`, 15 minutes).",
  },
});
export type RemoteServerFields = typeof REMOTE_SERVER_FIELDS;
