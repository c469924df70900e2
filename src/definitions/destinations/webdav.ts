/** A directory on a WebDAV server, such as Nextcloud or a Hetzner Storage Box. */
import * as z from "zod";
import { relativeStorePath } from "../formats/paths.ts";
import { says } from "../formats/says.ts";
import { literalLine, secret, text } from "../formats/text.ts";
import { defineDestination } from "./definition.ts";
import { nearlyFullField } from "./nearly_full.ts";
import { priceFields } from "./price.ts";

const WebdavDestination = z.object({
  type: z.literal("webdav"),
  /** URL of the server, http or https, without user, query and fragment. */
  url: z.string(),
  username: z.string(),
  password: z.string(),
  /** Path of the directory, relative to the URL. */
  directory: z.string(),
});
export type WebdavDestination = z.infer<typeof WebdavDestination>;

export const webdav = defineDestination({
  label: "WebDAV",
  reach: "agents",
  fields: {
    webdav_url: {
      schema: text(2000).refine(isAddress, {
        error: says("must be an http or https URL without user, query or fragment"),
      }),
      help: "the URL of the WebDAV server; of Nextcloud the one that its file settings show",
      placeholder: "url",
      example: "https://cloud.example.com/remote.php/dav/files/ada",
      isRequired: true,
      isSearched: true,
    },
    webdav_username: { schema: literalLine(255), help: "the user to log in as", isRequired: true },
    webdav_password: {
      schema: secret(1000),
      help: "the user's password; of Nextcloud an app password",
      isSecret: true,
      isRequired: true,
    },
    webdav_path: {
      schema: relativeStorePath(),
      help: "the directory below the URL",
      description: "Default: the directory that the URL names.",
      placeholder: "path",
      isSearched: true,
    },
    ...nearlyFullField,
    ...priceFields,
  },
  jobShape: WebdavDestination,
  job: (settings, secrets, directory) => ({
    type: "webdav" as const,
    url: settings.webdav_url,
    username: settings.webdav_username,
    password: secrets.webdav_password,
    directory,
  }),
  base: ({ webdav_path }) => webdav_path ?? ".",
  // The username is included because a server might show each user another root directory.
  boundTo: ({ webdav_url, webdav_username }) => ({
    webdav_url: new URL(webdav_url).href.replace(/\/+$/, ""),
    webdav_username,
  }),
  endpoint: ({ webdav_url }) => ({ field: "webdav_url", url: new URL(webdav_url) }),
  location: ({ webdav_url, webdav_path }) =>
    `${webdav_url.replace(/^https?:\/\//i, "").replace(/\/+$/, "")}${webdav_path ? `/${webdav_path}` : ""}`,
  kit: {
    describe: ({ webdav_url, webdav_username, webdav_path }, directory) =>
      `WebDAV ${webdav_url} as ${webdav_username}, ${directory ?? webdav_path ?? "."}`,
    address({ webdav_url, webdav_username }, directory) {
      const url = new URL(webdav_url);
      const scheme = url.protocol === "https:" ? "webdavs" : "webdav";
      const path = directory.split("/").filter((part) => part !== "" && part !== ".").map(encodeURIComponent);
      const base = url.pathname.replace(/\/+$/, "");
      return `${scheme}://${encodeURIComponent(webdav_username)}@${url.host}${[base, ...path].join("/")}`;
    },
    environment: () => ["export WEBDAV_PASSWORD=… # asked for otherwise"],
    reading: {
      schemes: ["webdav", "webdavs"],
      form: "webdavs://USER@HOST:PORT/PATH, or webdav:// without TLS",
      settings({ href, username }) {
        const url = new URL(href.replace(/^webdav(s?):/, "http$1:"));
        url.username = "";
        return { webdav_url: url.href, webdav_username: decodeURIComponent(username) };
      },
      words: { webdav_url: "the address", webdav_path: "the path in it", webdav_username: "its user" },
    },
  },
});

function isAddress(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" &&
    !/[?#]/.test(value);
}
