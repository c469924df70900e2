/** Tags of tasks, with their colours. */
import type { View } from "../view.ts";

interface Tag {
  readonly id: number;
  readonly label: string;
  readonly colour: string | null;
}

/** A dot in the tag's colour; grey if it has none. */
export function TagDot({ colour }: { colour: string | null }) {
  return (
    <svg class="tag-dot" viewBox="0 0 8 8" width="8" height="8" aria-hidden="true">
      <circle cx="4" cy="4" r="4" fill={colour ?? "currentColor"} />
    </svg>
  );
}

/** A link to the tasks with a tag. */
export function TagChip({ view, tag }: { view: View; tag: Tag }) {
  return (
    <a class="tag-chip" href={view.path(`/tasks?tag_id=${tag.id}`)} title={tag.label}>
      <TagDot colour={tag.colour} />
      {tag.label}
    </a>
  );
}
