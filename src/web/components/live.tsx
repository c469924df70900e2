/** Parts of a page that renew themselves when records change. */
import type { Child } from "hono/jsx";
import type { View } from "../view.ts";

/** Kinds of records. When records of such a kind change, parts of a page can renew themselves. */
export type Topic = "runs" | "tasks" | "backups" | "servers" | "destinations" | "alerts" | "access";

interface LiveProps {
  readonly view: View;
  /** The part's id, unique in the page. */
  readonly id: string;
  readonly topics: readonly Topic[];
  /**
   * Path from which the browser fetches the part again. Its page must contain the part. Default: this page.
   */
  readonly from?: string;
  readonly children: Child;
}

/**
 * A part of a page that the browser fetches again when records of the given kinds change. Do not put forms
 * for typing into it: what the user is typing might be lost.
 */
export function Live({ view, id, topics, from = view.here, children }: LiveProps) {
  const attributes = view.hx({
    get: view.path(from),
    trigger: "live",
    select: `#${id}`,
    target: `#${id}`,
    swap: "outerMorph",
  });
  return <div id={id} class="live" data-live={topics.join(" ")} {...attributes}>{children}</div>;
}
