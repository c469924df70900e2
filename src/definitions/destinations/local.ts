/** A directory on the server that is backed up. */
import * as z from "zod";
import { absoluteStorePath } from "../formats/paths.ts";
import { defineDestination } from "./definition.ts";
import { nearlyFullField } from "./nearly_full.ts";
import { priceFields } from "./price.ts";

const LocalDestination = z.object({ type: z.literal("local"), directory: z.string() });
export type LocalDestination = z.infer<typeof LocalDestination>;

export const local = defineDestination({
  label: "Local",
  reach: "server",
  fields: {
    local_path: {
      schema: absoluteStorePath(),
      help: "a directory on the remote server; without it each task needs a `store_path`",
      description: "On the remote server. Without it each task needs a `store_path`.",
      placeholder: "path",
      isSearched: true,
    },
    ...nearlyFullField,
    ...priceFields,
  },
  jobShape: LocalDestination,
  job: (_settings, _secrets, directory) => ({ type: "local" as const, directory }),
  base: ({ local_path }) => local_path ?? "/",
  refusedRoot: {
    storing: "The store path field is required when the backup destination has no local path.",
    checking:
      "The destination has no local path: each task's store path is the directory of its backups. Set a " +
      "local path to check it.",
  },
  boundTo: () => ({}),
  location: ({ local_path }) => local_path ?? "/",
  kit: {
    describe: ({ local_path }, directory, disks) =>
      `on the disk of ${disks}, ${directory ?? local_path ?? "/"}`,
    address: (_settings, directory) => directory,
    environment: (_settings, disks) => [
      // A server's label can contain a line break, which would end this shell comment.
      `# there, or with the directory copied off the disk of ${disks.replaceAll(/\s+/g, " ")}`,
    ],
  },
});
