/** Defines the endpoint `/api/ssh-key`. */
import { z } from "@hono/zod-openapi";
import { showPublicKey } from "../../../services/servers/ssh_key.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";

const SshKey = z.object({ public_key: z.string() }).openapi("SshKey");

export const sshKeyEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/ssh-key",
    operationId: "showSshKey",
    group: "SSH key",
    summary: "Show the control plane's public SSH key",
    description: "A line for `authorized_keys` on a remote server.",
    access: "any token",
    answer: {
      status: 200,
      description: "The public key.",
      content: {
        type: "application/json",
        schema: z.object({ data: SshKey }),
        example: {
          data: {
            public_key:
              "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJbXQ1rVJvvPhzZXhMC1JWJ5dYnT2v9cXGZ1E0YbJ8ZC rearguard",
          },
        },
      },
    },
    handle: async ({ services }) => ({
      status: 200,
      body: { data: { public_key: await showPublicKey(services) } },
    }),
  }),
];
