/**
 * Defines every notification event: which class it belongs to, and which streams get it. A stream subscribes
 * to classes. Its flags `on_success` and `on_failure` each subscribe it to a group of classes.
 */
import { GUARD_EVENTS, type GuardEvent } from "../guards/registry.ts";

/**
 * Says which flag of a stream subscribes the stream to a class. With `either`, each of the two flags does.
 */
export type EventGroup = "on_success" | "on_failure" | "either";

export interface EventClass {
  /** Name for people, which begins with a lower-case letter. */
  readonly label: string;
  /**
   * Says what the events of the class report, in one line that begins with a lower-case letter and has no
   * full stop.
   */
  readonly help: string;
  readonly group: EventGroup;
  /**
   * Whether the flag of `group` subscribes a stream to this class. If false, a stream gets the class only if
   * it chooses the class by name.
   */
  readonly isDefault: boolean;
  /**
   * Whether the class reports problems of tasks. If no stream of a task gets such a class, the API warns
   * that nobody is notified.
   */
  readonly isAlert: boolean;
  /**
   * The events of the class. `backup.succeeded` is in two classes: the right one depends on whether the run
   * had warnings.
   */
  readonly events: readonly string[];
}

function alert<const E extends string>(label: string, help: string, events: readonly E[]) {
  return { label, help, group: "on_failure", isDefault: true, isAlert: true, events } as const;
}

function news<const E extends string, const G extends EventGroup>(
  group: G,
  label: string,
  help: string,
  events: readonly E[],
) {
  return { label, help, group, isDefault: true, isAlert: false, events } as const;
}

/** All classes of notification events, by name. Users see them in this order. */
export const EVENT_CLASSES = {
  success: news("on_success", "success", "a run stored a backup, without warnings", [
    "backup.started",
    "backup.succeeded",
  ]),
  warnings: news("on_success", "success with warnings", "a run stored a backup, with warnings", [
    "backup.succeeded",
  ]),
  failure: alert("failure", "a run failed, or its agent fell silent", ["backup.failed", "backup.lost"]),
  recovered: news("on_failure", "recovered", "a run stored a backup, after a reported problem of the task", [
    "backup.recovered",
  ]),
  late: alert("late", "a task has no backup that is recent enough, whatever the reason", ["backup.late"]),
  could_not_start: alert(
    "could not start",
    "a run waits for too long, is skipped, or has no valid schedule",
    [
      "backup.overdue",
      "backup.skipped",
      "schedule.broken",
    ],
  ),
  stalled: alert("stalled or slow", "a run makes no progress, or takes far longer than usual", [
    "backup.stalled",
    "backup.slow",
  ]),
  damaged: alert("damaged", "a stored backup is damaged or missing", ["backup.damaged"]),
  anomaly: alert<GuardEvent | "backup.incomplete">(
    "anomaly",
    "a stored backup looks wrong, or lacks something that its task names",
    [...GUARD_EVENTS, "backup.incomplete"],
  ),
  drill_failed: alert("drill failed", "a restore drill or a verification was impossible", [
    "verification.failed",
    "drill.failed",
  ]),
  agent_gone: alert("agent gone", "the agent of a server is absent, back, or there twice", [
    "agent.gone",
    "agent.back",
    "agent.duplicate",
  ]),
  destination_full: news(
    "on_failure",
    "destination nearly full",
    "little space is left at a destination, or enough again",
    [
      "destination.nearly_full",
      "destination.has_room",
    ],
  ),
  removal_failing: news("on_failure", "removal failing", "backups cannot be removed from a destination", [
    "removal.failing",
  ]),
  delivery_failing: news("on_failure", "delivery failing", "another stream accepts no messages", [
    "notifications.failing",
  ]),
  deletion: news(
    "either",
    "deletion",
    "somebody deleted or released backups or records; for administrators",
    [
      "trash.filled",
    ],
  ),
  expiring: news(
    "on_failure",
    "expiring access",
    "a token, or the certificate of the public URL or of a destination, expires soon",
    [
      "token.expiring",
      "certificate.expiring",
      "access.ending",
    ],
  ),
  update_available: {
    ...news(
      "on_failure",
      "update available",
      "an agent is older than its control plane, or a newer version exists",
      ["update.available"],
    ),
    isDefault: false,
  },
} as const satisfies Readonly<Record<string, EventClass>>;

export type EventClassName = keyof typeof EVENT_CLASSES;
export const EVENT_CLASS_NAMES = Object.keys(EVENT_CLASSES) as [EventClassName, ...EventClassName[]];

/** Events without a class: a message about several events, a summary, and a test. */
const UNCLASSED_EVENTS = ["digest", "summary", "test"] as const;

/** The events that streams can choose. */
export type ClassedEvent = typeof EVENT_CLASSES[EventClassName]["events"][number];
export type NotificationEventName = ClassedEvent | typeof UNCLASSED_EVENTS[number];

export const NOTIFICATION_EVENTS: readonly NotificationEventName[] = [
  ...new Set(EVENT_CLASS_NAMES.flatMap((name): readonly ClassedEvent[] => EVENT_CLASSES[name].events)),
  ...UNCLASSED_EVENTS,
];

/** The class of each event. An event in two classes has the class that comes first in `EVENT_CLASS_NAMES`. */
const CLASS_OF = new Map(
  EVENT_CLASS_NAMES.toReversed().flatMap((name) =>
    EVENT_CLASSES[name].events.map((event): [NotificationEventName, EventClassName] => [event, name])
  ),
);

/** Returns whether streams can choose the event. */
export function isClassed(event: NotificationEventName): event is ClassedEvent {
  return CLASS_OF.has(event);
}

/** Returns the class of an event. A success has the class `warnings` if its run had warnings. */
export function classOf(event: ClassedEvent, warnings = 0): EventClassName {
  if (event === "backup.succeeded" && warnings > 0) return "warnings";
  return CLASS_OF.get(event)!;
}

/**
 * A stream's choices for individual event classes, by the class's name. With true, the stream gets the
 * class's events; with false, it does not. A choice overrides the stream's flags.
 */
export type EventChoices = Readonly<Partial<Record<string, boolean>>>;

/**
 * What a stream subscribes to. `events` contains an event class only if the stream's choice for this class
 * differs from what the stream's flags say.
 */
export interface Subscription {
  readonly on_success: boolean;
  readonly on_failure: boolean;
  readonly events: EventChoices;
}

/** Returns whether a stream gets the events of a class. */
export function isSubscribed(subscription: Subscription, name: EventClassName): boolean {
  return subscription.events[name] ?? isByFlags(subscription, name);
}

function isByFlags(
  { on_failure, on_success }: Pick<Subscription, "on_success" | "on_failure">,
  name: EventClassName,
): boolean {
  const { group, isDefault } = EVENT_CLASSES[name];
  return isDefault && { on_success, on_failure, either: on_success || on_failure }[group];
}

/** Returns, for each class, whether a stream gets the events of the class. */
export function subscribedClasses(subscription: Subscription): Record<EventClassName, boolean> {
  return Object.fromEntries(
    EVENT_CLASS_NAMES.map((name) => [name, isSubscribed(subscription, name)]),
  ) as Record<EventClassName, boolean>;
}

/**
 * A change of a subscription. A field that is absent does not change. If a class of events is absent from
 * `events`, the stream's choice for this class does not change.
 */
export interface SubscriptionChange {
  readonly on_success?: boolean;
  readonly on_failure?: boolean;
  readonly events?: EventChoices;
}

/**
 * Returns the subscription after a change.
 *
 * If a flag changes to true, the stream first gets the default classes of the flag's group. If a flag changes
 * to false, the stream first gets no class of the group. Then the classes in `change.events` are switched on
 * or off. If all classes of a group are off in the end, the group's flag becomes false, because older clients
 * read only the flags.
 */
export function changeSubscription(before: Subscription, change: SubscriptionChange): Subscription {
  const flags = {
    on_success: change.on_success ?? before.on_success,
    on_failure: change.on_failure ?? before.on_failure,
  };
  const kept = EVENT_CLASS_NAMES.filter((name) => {
    const { group } = EVENT_CLASSES[name];
    return group === "either" || flags[group] === before[group];
  });
  const events: EventChoices = {
    ...Object.fromEntries(kept.map((name) => [name, before.events[name]])),
    ...change.events,
  };
  for (const flag of ["on_success", "on_failure"] as const) {
    const group = EVENT_CLASS_NAMES.filter((name) => EVENT_CLASSES[name].group === flag);
    if (!group.some((name) => isSubscribed({ ...flags, events }, name))) flags[flag] = false;
  }
  return {
    ...flags,
    events: Object.fromEntries(
      EVENT_CLASS_NAMES.filter((name) => (events[name] ?? isByFlags(flags, name)) !== isByFlags(flags, name))
        .map((name) => [name, events[name]!]),
    ),
  };
}
