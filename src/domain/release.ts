/** The release of this code, as in deno.json. */
export const RELEASE = "0.1.0";
