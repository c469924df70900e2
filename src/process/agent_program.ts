/** How the agent on this machine is run: by the same Deno as this process. */
import { fileURLToPath } from "node:url";

/** What the server alone is to know. */
const SECRET = ["BOOTSTRAP_TOKEN", "DATABASE_URL", "SECRET_KEY", "SECRET_KEY_FILE", "SMTP_URL"];

/** The program and its arguments, without those that an agent takes itself. */
export function agentCommand(): [string, ...string[]] {
  return [
    Deno.execPath(),
    "run",
    "--allow-all",
    // A small heap that is swept often: an agent is to stay light beside what it backs up.
    "--v8-flags=--expose-gc,--max-semi-space-size=1,--single-threaded-gc",
    fileURLToPath(new URL("../../agent/main.ts", import.meta.url)),
  ];
}

/** The server's own environment but for its secrets, and for its name where both are traced. */
export function agentEnvironment(environment: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.fromEntries(Object.entries(environment).filter(([name]) => !SECRET.includes(name)));
  // Otherwise Deno would check the internet for newer releases of itself.
  const quiet = { ...own, DENO_NO_UPDATE_CHECK: "1" };
  return "OTEL_DENO" in own ? { ...quiet, OTEL_SERVICE_NAME: "rearguard-agent" } : quiet;
}
