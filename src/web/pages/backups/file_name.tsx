/** Names of files, shown as text: a name can contain any character. */
import { Icon, type IconName } from "../../components/icon.tsx";

/** Control characters, and characters that change the direction of text. */
// deno-lint-ignore no-control-regex
const HIDDEN = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Returns a name in which hidden characters are visible, such as `\u202e`. */
export function visibleName(name: string): string {
  return name.replace(HIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Shows a path. The text around it stays in order, even if the path contains right-to-left text. */
export function FilePath({ path }: { path: string }) {
  return <bdi class="mono path">{visibleName(path)}</bdi>;
}

const ICONS: Readonly<Record<string, IconName>> = { directory: "folder" };

/** The icon of a file, directory or other member of a backup. */
export function FileIcon({ type }: { type: string }) {
  return <Icon name={ICONS[type] ?? "file"} />;
}
