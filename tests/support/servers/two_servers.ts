/**
 * Starts two control planes behind one address, and the agents of two servers. One server reads backups from
 * the other server's disk.
 */
import { ABILITIES } from "../../../src/domain/abilities.ts";
import { systemClock } from "../../../src/domain/clock.ts";
import type { ServiceContext } from "../../../src/services/context.ts";
import { issueToken } from "../../../src/services/access/tokens.ts";
import { insertUser } from "../../../src/store/access/users.ts";
import { Balancer } from "./balancer.ts";
import { shell } from "../fixtures/backup_run.ts";
import { ApiCaller } from "../clients/client.ts";
import { QUICK_AGENT } from "../clients/quick_agent.ts";
import { serve, startAgent, type StartedAgent } from "./control_plane.ts";
import { onSystemClock, testServices } from "../fixtures/database.ts";
import { until } from "../assertions/until.ts";

export interface TestServer {
  readonly id: number;
  agent: StartedAgent;
}

/** A request for bytes of a backup that is on the disk of the server `holder`. */
export interface RelayedRequest {
  readonly name: string;
  /** The requested range, such as `bytes=0-99`. */
  readonly range: string;
  readonly status: number;
}

export interface TwoServers {
  readonly services: ServiceContext;
  readonly balancer: Balancer;
  readonly api: ApiCaller;
  /** The server labelled `web1`, whose disk holds the backups. */
  readonly holder: TestServer;
  readonly other: TestServer;
  readonly root: string;
  readonly relayed: RelayedRequest[];
  /** Stops the transfer of each object after `after` bytes, until the gate is opened. */
  gate(after: number): Gate;
  /** Restarts a server's agent that was killed. */
  restart(server: TestServer): Promise<void>;
  isConnected(server: TestServer): Promise<boolean>;
}

export interface Gate {
  /** Resolves when a response has reached the gate. */
  readonly reached: Promise<void>;
  open(): void;
}

const AGENT = { program: QUICK_AGENT, logLevel: "debug" };

export async function stageTwoServers(stack: AsyncDisposableStack): Promise<TwoServers> {
  const root = await Deno.makeTempDir({ prefix: "rearguard-two-" });
  stack.defer(async () => void await shell('chmod -R u+rwx "$1"; rm -rf "$1"', root));
  const test = stack.use(await testServices());
  const relays = new Relays();
  const ports: number[] = [];
  let services = test.services;
  for (let replica = 0; replica < 2; replica++) {
    services = stack.use(onSystemClock(test.services)).services;
    const { url } = await serve(services, stack, (request, response) => relays.follow(request, response));
    ports.push(Number(new URL(url).port));
  }
  const balancer = stack.use(new Balancer(ports));
  const address = balancer.url;
  const user = { name: "Ada", email: "ada@example.test", is_admin: false };
  const { id: userId } = await insertUser(services.database, user, systemClock.now());
  const token = { userId, name: "tests", abilities: ABILITIES, expiresAt: null };
  // Calls one control plane directly, because tests cut the balancer's connections.
  const api = new ApiCaller(`http://127.0.0.1:${ports[0]}`, (await issueToken(services, token)).plain);
  const isConnected = async ({ id }: { id: number }) =>
    (await api.call("GET", `/remote-servers/${id}`)).body.data.status.connectivity === "connected";
  const enrol = async (label: string, ip_address: string): Promise<TestServer> => {
    const id = await api.create("/remote-servers", { label, ip_address });
    const { body } = await api.call("POST", `/remote-servers/${id}/enrolment-tokens`);
    return { id, agent: await startAgent(address, body.data.token, AGENT, stack) };
  };
  const [holder, other] = [await enrol("web1", "127.0.0.1"), await enrol("web2", "127.0.0.2")];
  await until(async () => await isConnected(holder) && await isConnected(other));
  return {
    services,
    balancer,
    api,
    holder,
    other,
    root,
    relayed: relays.requests,
    gate: (after) => relays.gate(after),
    restart: async (server) => {
      server.agent = await startAgent(address, "", AGENT, stack, server.agent);
    },
    isConnected,
  };
}

class Relays {
  readonly requests: RelayedRequest[] = [];
  #gate: { after: number; reach(): void; opened: Promise<void> } | null = null;

  gate(after: number): Gate {
    const reached = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    this.#gate = { after, reach: reached.resolve, opened: opened.promise };
    return {
      reached: reached.promise,
      open: () => {
        this.#gate = null;
        opened.resolve();
      },
    };
  }

  follow(request: Request, response: Response): Response {
    const url = new URL(request.url);
    if (url.pathname !== "/api/agent/objects") return response;
    const { status, headers } = response;
    this.requests.push({
      name: url.searchParams.get("name") ?? "",
      range: request.headers.get("range") ?? "",
      status,
    });
    const gate = this.#gate;
    if (gate === null || status !== 206) return response;
    let passed = 0;
    const body = response.body!.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        async transform(chunk, controller) {
          passed += chunk.length;
          if (passed > gate.after) {
            gate.reach();
            await gate.opened;
          }
          controller.enqueue(chunk);
        },
      }),
    );
    return new Response(body, { status, headers });
  }
}
