/** Who a source's programs run as. */

export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

/** setpriv's options that give a program the user's ids and supplementary groups. */
export function switchUser(user: SystemUser): string[] {
  return [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--init-groups"];
}

/** The whole environment of a program. Messages in English, names in UTF-8, whatever the system's locale. */
export function userEnvironment(user: SystemUser | null): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: Deno.env.get("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LC_ALL: "C.UTF-8",
    HOME: user?.home ?? Deno.env.get("HOME") ?? "/",
  };
  const name = user?.name ?? Deno.env.get("USER");
  return name === undefined ? environment : { ...environment, USER: name, LOGNAME: name };
}
