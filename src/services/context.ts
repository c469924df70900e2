/** What every use case is given: the database, the time and the keys. */
import type { Clock } from "../domain/clock.ts";
import type { DeliveryOutcome, NotificationEvent } from "../domain/notifications/notification.ts";
import type { NotificationStreamType } from "../domain/notifications/notification_stream.ts";
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
  /** To the addresses that users give. */
  readonly network: Network;
  /** `DEFAULT_RUN_TIMES` unless configured. */
  readonly runTimes: RunTimes;
}

/**
 * What tells a notification stream something at once; `src/notify` has it. It rejects for nothing that the
 * other side does.
 */
export interface NotificationSender {
  sendNow(
    stream: {
      type: NotificationStreamType;
      value_encrypted: string;
      signing_secret_encrypted?: string | null;
    },
    event: NotificationEvent,
  ): Promise<DeliveryOutcome>;
}

/** Who calls, as their token tells. */
export interface Caller {
  readonly userId: number;
  readonly tokenId: number;
  readonly isAdmin: boolean;
  readonly abilities: ReadonlySet<string>;
}
