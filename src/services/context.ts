/** The context of every service function: the database, the clock, the keys and other shared objects. */
import type { Clock } from "../domain/clock.ts";
import type { Credential } from "../domain/access/credential.ts";
import type { DeliveryOutcome, NotificationEvent } from "../domain/notifications/notification.ts";
import type { Owner } from "../domain/access/owner.ts";
import type { Role } from "../domain/access/roles.ts";
import type { RunTimes } from "../domain/run.ts";
import type { Network } from "../network/network.ts";
import type { Keyring } from "../secrets/keyring.ts";
import type { PasswordHasher } from "../secrets/passwords/password_hasher.ts";
import type { Database } from "../store/database/sql.ts";
import type { EventBus } from "../store/database/event_bus.ts";
import type { AgentStreams } from "./agent_rpc/agent_streams.ts";
import type { OpenidProvider } from "./access/openid/provider.ts";
import type { LoginThrottle } from "./access/login_throttle.ts";
import type { Health } from "./installation/health.ts";
import type { LiveChanges } from "./live/live_changes.ts";
import type { TransientSecrets } from "./jobs/transient_secrets.ts";

export interface ServiceContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly health: Health;
  readonly live: LiveChanges;
  readonly keyring: Keyring;
  readonly bus: EventBus;
  readonly transientSecrets: TransientSecrets;
  readonly passwords: PasswordHasher;
  readonly loginThrottle: LoginThrottle;
  /** The provider with which users can log in; null for none. */
  readonly openid: OpenidProvider | null;
  readonly streams: AgentStreams;
  readonly notifier: NotificationSender;
  /** Opens connections to addresses that users enter. */
  readonly network: Network;
  /**
   * This control plane. `id` distinguishes it from the other control planes that share the database. `name`
   * is its host and port. Null in a process that is not a control plane.
   */
  readonly replica: { readonly id: string; readonly name: string } | null;
  /** Time limits of runs. The default is `DEFAULT_RUN_TIMES`. */
  readonly runTimes: RunTimes;
}

/**
 * Sends a message to a notification stream at once. Resolves with the outcome, even if the receiver fails.
 * Implemented in `src/notify`.
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

/**
 * The user who calls a service function, and the workspace in which the user acts. The user's token or
 * session identifies both.
 */
export interface Caller extends Owner {
  /** The user's role in the workspace. */
  readonly role: Role;
  readonly credential: Credential;
  readonly isAdmin: boolean;
  /**
   * Whether the user must set up a second factor before doing anything else. Absent for a caller with a
   * token.
   */
  readonly lacksSecondFactor?: boolean;
  /**
   * The abilities of the user's role at this moment. A caller with a token has only those abilities that both
   * the role and the token contain.
   */
  readonly abilities: ReadonlySet<string>;
}
