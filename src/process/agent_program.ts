/** Says how the agent on this machine is started: with the same Deno as the control plane. */
import { fileURLToPath } from "node:url";

/** Environment variables with secrets of the control plane. The agent must not get them. */
const SECRET = [
  "BOOTSTRAP_TOKEN",
  "DATABASE_URL",
  "OIDC_CLIENT_SECRET_FILE",
  "SECRET_KEY",
  "SECRET_KEY_FILE",
  "SMTP_URL",
];

/** Returns the program to run and its first arguments. The agent's own arguments have to be appended. */
export function agentCommand(): [string, ...string[]] {
  return [
    Deno.execPath(),
    "run",
    "--allow-all",
    // A small heap that is often collected keeps the agent's memory use low.
    "--v8-flags=--expose-gc,--max-semi-space-size=1,--single-threaded-gc",
    fileURLToPath(new URL("../../agent/main.ts", import.meta.url)),
  ];
}

/**
 * Returns the environment without the control plane's secrets. If tracing is on, sets the agent's own service
 * name.
 */
export function agentEnvironment(environment: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.fromEntries(Object.entries(environment).filter(([name]) => !SECRET.includes(name)));
  // Prevents Deno from checking the internet for newer releases of itself.
  const quiet = { ...own, DENO_NO_UPDATE_CHECK: "1" };
  return "OTEL_DENO" in own ? { ...quiet, OTEL_SERVICE_NAME: "rearguard-agent" } : quiet;
}
