/** The context of every use case: the database, the clock, the keys and other shared objects. */
import type { Clock } from "../domain/clock.ts";
import type { DeliveryOutcome, NotificationEvent } from "../domain/notifications/notification.ts";
import type { RunTimes } from "../domain/run.ts";
import type { Network } from "../network/network.ts";
import type { Keyring } from "../secrets/keyring.ts";
import type { Database } from "../store/database/sql.ts";
import type { EventBus } from "../store/database/event_bus.ts";
import type { AgentStreams } from "./agent_rpc/agent_streams.ts";
import type { Health } from "./installation/health.ts";
import type { TransientSecrets } from "./jobs/transient_secrets.ts";

export interface ServiceContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly health: Health;
  readonly keyring: Keyring;
  readonly bus: EventBus;
  readonly transientSecrets: TransientSecrets;
  readonly streams: AgentStreams;
  readonly notifier: NotificationSender;
  /** Makes connections to the addresses that users enter. */
  readonly network: Network;
  /** `DEFAULT_RUN_TIMES` unless configured. */
  readonly runTimes: RunTimes;
}

/**
 * Sends to a notification stream at once. It resolves even if the receiver fails. Implemented in
 * `src/notify`.
 */
export interface NotificationSender {
  sendNow(
    stream: {
      type: string;
      value_encrypted: string;
      signing_secret_encrypted?: string | null;
    },
    event: NotificationEvent,
  ): Promise<DeliveryOutcome>;
}

/** The caller of a use case, as identified by their token. */
export interface Caller {
  readonly userId: number;
  readonly tokenId: number;
  readonly isAdmin: boolean;
  readonly abilities: ReadonlySet<string>;
}
