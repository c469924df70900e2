/** All guards, in the order in which findings are reported. */
import type { Guard, GuardAction } from "./guard.ts";
import { incompressible } from "./incompressible.ts";
import { shrink } from "./shrink.ts";
import { tooLong } from "./too_long.ts";

const GUARDS = {
  incompressible,
  shrink,
  too_long: tooLong,
} as const satisfies Readonly<Record<string, Guard>>;

export type GuardName = keyof typeof GUARDS;
export const GUARD_NAMES = Object.keys(GUARDS) as readonly GuardName[];

type EventOf<G> = G extends Guard<infer E> ? E : never;
/** The notification events of all guards that notify. */
export type GuardEvent = { [N in GuardName]: EventOf<typeof GUARDS[N]> }[GuardName];

export const GUARD_EVENTS: readonly GuardEvent[] = GUARD_NAMES.flatMap((name) => {
  const notification = GUARDS[name].notification;
  return notification === null ? [] : [notification.event];
});

/** The action of each guard for tasks that choose none. */
export const DEFAULT_ACTIONS = Object.fromEntries(
  GUARD_NAMES.map((name) => [name, GUARDS[name].defaultAction]),
) as Record<GuardName, GuardAction>;

/** Returns the guard with this name; undefined if this version does not support it. */
export function guardOf(name: string): Guard<GuardEvent> | undefined {
  return Object.hasOwn(GUARDS, name) ? GUARDS[name as GuardName] : undefined;
}
