/** The release that this code is, as in deno.json. */
export const RELEASE = "0.1.0";
