/** The user that a source's programs run as. */

export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

/** Returns setpriv's options that set the user's ids and supplementary groups. */
export function switchUser(user: SystemUser): string[] {
  return [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--init-groups"];
}

/** Returns the complete environment of a program. The locale selects English messages and UTF-8 names. */
export function userEnvironment(user: SystemUser | null): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: Deno.env.get("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LC_ALL: "C.UTF-8",
    HOME: user?.home ?? Deno.env.get("HOME") ?? "/",
  };
  const name = user?.name ?? Deno.env.get("USER");
  return name === undefined ? environment : { ...environment, USER: name, LOGNAME: name };
}
