/** Anchors of headings. */

/**
 * Returns the anchor that GitHub makes from a heading. The help uses the same anchors, so that links to
 * headings work on GitHub and in the help.
 */
export function anchorOf(heading: string): string {
  const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
  return plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(" ", "-");
}
