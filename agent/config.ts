/**
 * Reads the agent's configuration: its options, its environment variables, and the enrolment token from a
 * file that other users can't read.
 */
import { parseArgs } from "node:util";
import { hostname } from "node:os";
import type { LoggingOptions } from "../src/telemetry/logging.ts";
import { parsePolicy, POLICY_VARIABLE, type ScriptPolicy } from "./engine/scripts/script_policy.ts";
import { StartError } from "./state_directory.ts";

export interface AgentConfig {
  /** The control plane's URL, `http(s)://…`, without a trailing slash. */
  url: string;
  stateDir: string;
  /** Returns the enrolment token; null if none was given. Only the agent's first start needs the token. */
  readToken(): Promise<string | null>;
  hostname: string;
  logLevel: LoggingOptions["level"];
  logFormat: LoggingOptions["format"];
  scripts: ScriptPolicy;
}

export const USAGE = `Usage: agent --url URL --state-dir DIRECTORY [--token-file FILE]
       agent --version

  --url URL              the control plane, such as https://backup.example.com (or REARGUARD_URL)
  --state-dir DIRECTORY  where the agent keeps its key and its journal (or REARGUARD_STATE_DIR)
  --token-file FILE      a file with the enrolment token, for the first start; or the environment
                         variable REARGUARD_TOKEN. Never an argument: those are public.

The environment variable REARGUARD_SCRIPTS says which scripts the agent runs: all (default), none,
or the path of a file that lists the SHA-256 of those it allows.
`;

/**
 * Returns the configuration from options and environment variables. Removes the token from the environment,
 * so that programs that the agent starts do not inherit it. Throws a {@link StartError} if something is
 * missing or invalid.
 */
export function readAgentConfig(args: string[]): AgentConfig {
  let values: { url?: string; "state-dir"?: string; "token-file"?: string };
  try {
    values = parseArgs({
      args,
      options: { url: { type: "string" }, "state-dir": { type: "string" }, "token-file": { type: "string" } },
    }).values;
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n\n${USAGE}`);
  }
  const url = values.url ?? Deno.env.get("REARGUARD_URL");
  const stateDir = values["state-dir"] ?? Deno.env.get("REARGUARD_STATE_DIR");
  if (url === undefined || stateDir === undefined) {
    throw new StartError(
      `Cannot start the agent: ${url === undefined ? "--url" : "--state-dir"} is missing\n\n${USAGE}`,
    );
  }
  if (!/^https?:\/\/[^/]/.test(url)) {
    throw new StartError("Cannot start the agent: --url must begin with http:// or https://");
  }
  const token = Deno.env.get("REARGUARD_TOKEN");
  Deno.env.delete("REARGUARD_TOKEN");
  return {
    url: url.replace(/\/+$/, ""),
    stateDir,
    readToken: () => readToken(token, values["token-file"]),
    hostname: hostname(),
    logLevel: choice("LOG_LEVEL", ["info", "trace", "debug", "warning", "error", "fatal"]),
    logFormat: choice("LOG_FORMAT", ["pretty", "json"]),
    scripts: readPolicy(),
  };
}

function readPolicy(): ScriptPolicy {
  const policy = parsePolicy(Deno.env.get(POLICY_VARIABLE));
  if (policy !== null) return policy;
  throw new StartError(
    `Cannot start the agent: ${POLICY_VARIABLE} must be all, none, or the absolute path of a file that lists ` +
      "the SHA-256 of the scripts that it allows",
  );
}

async function readToken(token: string | undefined, file: string | undefined): Promise<string | null> {
  if (token !== undefined && token !== "") return token.trim();
  if (file === undefined) return null;
  try {
    return (await Deno.readTextFile(file)).trim() || null;
  } catch (cause) {
    throw new StartError(`Cannot read the token file ${file}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Returns the value of an environment variable. The value must be one of `values`; the first of them is the
 * default.
 */
function choice<T extends string>(name: string, values: readonly [T, ...T[]]): T {
  const value = Deno.env.get(name);
  if (value === undefined || value === "") return values[0];
  const known = values.find((one) => one === value);
  if (known === undefined) {
    throw new StartError(`Cannot start the agent: ${name} must be one of ${values.join(", ")}`);
  }
  return known;
}
