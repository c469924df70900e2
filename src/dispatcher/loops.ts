import type { ServiceContext } from "../services/context.ts";
import { type AgentLink, Dispatcher } from "./dispatcher.ts";
import { type Deliverer, Messenger } from "./messenger.ts";
import { Reaper } from "./reaper.ts";
import { Remover } from "./remover.ts";
import { Scheduler } from "./scheduler.ts";
import { type WatchedUrls, Watcher } from "./watcher.ts";

export interface LoopOptions extends WatchedUrls {
  readonly hub: AgentLink;
  readonly notifier: Deliverer;
  readonly replicaId: string;
  readonly auditLogDays: number;
}

/** Starts every background loop of a control plane. Disposing of the result stops them in reverse order. */
export function startLoops(services: ServiceContext, options: LoopOptions): AsyncDisposable {
  const { auditLogDays, hub, notifier, publicUrl, replicaId, updateUrl } = options;
  const loops = [
    new Scheduler(services),
    new Dispatcher(services, hub),
    new Reaper(services, replicaId, auditLogDays),
    new Remover(services),
    new Watcher(services, { publicUrl, updateUrl }),
    new Messenger(services, notifier),
  ];
  const running = new AsyncDisposableStack();
  for (const loop of loops) {
    loop.start();
    running.defer(() => loop.stop());
  }
  return running;
}
