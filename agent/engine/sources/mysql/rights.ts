/**
 * Compares a login's privileges with the privileges that a complete dump needs. A server hides objects that
 * the login is not allowed to see, and mysqldump does not notice. For example, without the privilege TRIGGER
 * a dump contains no triggers and reports no error.
 */
import { RunFailedError } from "../../ports.ts";
import type { MysqlConnection } from "./connection.ts";
import { isAtLeast, type ServerVersion } from "./programs.ts";

/** A GRANT or, if `isRevoke` is true, a partial REVOKE of MySQL 8. */
interface Grant {
  isRevoke: boolean;
  privileges: ReadonlySet<string>;
  /** Pattern of the database's name; `*` for all databases. */
  database: string;
  /** Name of the table or other object; `*` for all objects of the database. */
  object: string;
}

export interface MissingRights {
  /** Types of objects that might be missing from the dump, such as `triggers`. */
  hidden: string[];
  /** Statements that grant the missing privileges. */
  grants: string[];
}

const NAME = '(\\*|`(?:[^`]|``)*`|"(?:[^"]|"")*")';
const LINE = new RegExp(
  `^(GRANT|REVOKE) (.+?) ON (?:(?:TABLE|FUNCTION|PROCEDURE|PACKAGE|PACKAGE BODY) )?${NAME}\\.${NAME} (?:TO|FROM) `,
);
/**
 * Privileges with which a login sees that a routine exists. One of them is enough. If the login then is not
 * allowed to read the routine's text, mysqldump fails with a message. If the login has none of these
 * privileges, it does not see the routine, and mysqldump silently leaves the routine out.
 */
const SHOWS_ROUTINES = ["CREATE ROUTINE", "ALTER ROUTINE", "EXECUTE"];

export class MysqlRights {
  private constructor(
    private readonly server: ServerVersion,
    /** The login's account as GRANT writes it, such as `` `ada`@`%` ``. */
    private readonly account: string,
    private readonly grants: readonly Grant[],
  ) {}

  /**
   * Reads the login's privileges. Returns null if the server was started with `--skip-grant-tables`, because
   * such a server checks no privileges.
   */
  static async read(
    connection: MysqlConnection,
    client: string,
    server: ServerVersion,
  ): Promise<MysqlRights | null> {
    const [account, roles] = await connection.lines(client, accountQuery(server));
    // In MariaDB, the result contains the privileges of the login's roles. In MySQL 8, it contains a role's
    // privileges only if the statement names the role.
    const using = roles === undefined || roles === "NONE" || roles === "NULL"
      ? ""
      : ` for current_user() using ${roles}`;
    let lines: string[];
    try {
      lines = await connection.lines(client, `show grants${using}`);
    } catch (error) {
      if (error instanceof RunFailedError && /skip-grant-tables/.test(error.message)) return null;
      throw error;
    }
    const [user = "", host = ""] = splitAccount(account ?? "");
    return new MysqlRights(server, `${quoted(user)}@${quoted(host)}`, parseGrants(lines));
  }

  /** Returns the privileges that the login lacks for a complete dump; null if it lacks none. */
  missingRightsOn(database: string): MissingRights | null {
    const on = (privilege: string) => this.#has(privilege, database);
    const here: [hidden: string, privilege: string][] = [
      ["tables", "SELECT"],
      ["views", "SHOW VIEW"],
      ["triggers", "TRIGGER"],
      ["events", "EVENT"],
    ];
    const lacking = here.filter(([, privilege]) => !on(privilege));
    const pattern = database.replace(/[_%\\]/g, "\\$&");
    const grants = lacking.length === 0
      ? []
      : [this.#statement(lacking.map(([, privilege]) => privilege).join(", "), `${quoted(pattern)}.*`)];
    const hidden = lacking.map(([what]) => what);
    if (!SHOWS_ROUTINES.some(on) && !this.#readsRoutines(database)) {
      hidden.push("routines");
      grants.push(this.#routinesGrant(pattern));
    }
    return hidden.length === 0 ? null : { hidden, grants };
  }

  /**
   * Returns a GRANT of those privileges in `privileges` that the login lacks on a database; null if it lacks
   * none.
   */
  grantFor(privileges: readonly string[], database: string): string | null {
    const lacking = [...new Set(privileges)].filter((privilege) => !this.#has(privilege, database));
    const pattern = quoted(database.replace(/[_%\\]/g, "\\$&"));
    return lacking.length === 0 ? null : this.#statement(lacking.join(", "), `${pattern}.*`);
  }

  /**
   * Returns a GRANT that lets the login create objects whose definer is another account. Returns null if the
   * login has this right already, or if every definer in `definitions` is the login itself.
   */
  definersGrant(definitions: string): string | null {
    const definers = definitions.matchAll(
      /DEFINER=((?:`(?:[^`]|``)*`|"(?:[^"]|"")*")@(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"))/g,
    );
    const isOthers = [...definers].some(([, definer]) => definer!.replaceAll('"', "`") !== this.account);
    const { version, isMariadb } = this.server;
    const known = isMariadb ? ["SUPER", "SET USER"] : ["SUPER", "SET_USER_ID", "SET_ANY_DEFINER"];
    if (!isOthers || known.some((privilege) => this.#has(privilege, null))) return null;
    if (isMariadb) return this.#statement(isAtLeast(version, 10, 5, 2) ? "SET USER" : "SUPER", "*.*");
    return this.#statement(
      isAtLeast(version, 8, 2) ? "SET_ANY_DEFINER" : isAtLeast(version, 8) ? "SET_USER_ID" : "SUPER",
      "*.*",
    );
  }

  /** GRANT that lets the login see all databases; null if the login already sees them. */
  get databasesGrant(): string | null {
    const showsAll = this.grants.some(({ isRevoke, database, object, privileges }) =>
      !isRevoke && database === "*" && object === "*" && [...privileges].some((each) => each !== "USAGE")
    );
    return showsAll ? null : this.#statement("SHOW DATABASES, SELECT, SHOW VIEW, TRIGGER, EVENT", "*.*");
  }

  /**
   * Whether the login is allowed to read the text of routines. The rules:
   * https://mariadb.com/kb/en/show-create-procedure/
   * https://dev.mysql.com/doc/refman/8.4/en/privileges-provided.html#priv_show-routine
   */
  #readsRoutines(database: string): boolean {
    const { version, isMariadb } = this.server;
    if (isMariadb || !isAtLeast(version, 8, 0)) {
      return this.#has("SELECT", "mysql", "proc") ||
        (isMariadb && this.#has("SHOW CREATE ROUTINE", database));
    }
    return this.#has("SELECT", null) || this.#has("SHOW_ROUTINE", null);
  }

  #routinesGrant(pattern: string): string {
    const { version, isMariadb } = this.server;
    if (isMariadb && isAtLeast(version, 11, 3)) {
      return this.#statement("SHOW CREATE ROUTINE", `${quoted(pattern)}.*`);
    }
    if (isMariadb || !isAtLeast(version, 8, 0)) return this.#statement("SELECT", "`mysql`.`proc`");
    return this.#statement(isAtLeast(version, 8, 0, 20) ? "SHOW_ROUTINE" : "SELECT", "*.*");
  }

  #statement(privileges: string, on: string): string {
    return `GRANT ${privileges} ON ${on} TO ${this.account}`;
  }

  /**
   * Whether the login has a privilege.
   *
   * @param database Name of the database; null for the privilege on all databases.
   * @param object Name of the object; null for the privilege on all objects of the database.
   */
  #has(privilege: string, database: string | null, object: string | null = null): boolean {
    const holds = ({ privileges }: Grant) => privileges.has(privilege) || privileges.has("ALL PRIVILEGES");
    const isOnAll = (grant: Grant) => grant.database === "*" && grant.object === "*";
    if (this.grants.some((grant) => !grant.isRevoke && isOnAll(grant) && holds(grant))) {
      return database === null ||
        !this.grants.some((grant) => grant.isRevoke && matches(grant, database, null) && holds(grant));
    }
    return database !== null &&
      this.grants.some((grant) =>
        !grant.isRevoke && !isOnAll(grant) && matches(grant, database, object) && holds(grant)
      );
  }
}

/**
 * Returns SQL that selects the account as `user@host`. For MySQL 8 and later, the SQL also selects the active
 * roles, because SHOW GRANTS needs them.
 */
function accountQuery({ isMariadb, version }: ServerVersion): string {
  const hasRoles = !isMariadb && isAtLeast(version, 8, 0);
  return `select current_user()${hasRoles ? "; select current_role()" : ""}`;
}

/**
 * Splits an account into user and host at the last `@`. A user's name can contain an `@`, but a host's name
 * cannot.
 */
function splitAccount(account: string): [user: string, host: string] {
  const at = account.lastIndexOf("@");
  return [account.slice(0, at), account.slice(at + 1)];
}

function matches(grant: Grant, database: string, object: string | null): boolean {
  return patternOf(grant.database).test(database) && (grant.object === "*" || grant.object === object);
}

/**
 * Converts a GRANT's database pattern. `%` and `_` are wildcards. After a backslash, they are ordinary
 * characters.
 */
function patternOf(database: string): RegExp {
  const source = database.replace(/\\?[\s\S]/gu, (part) => {
    if (part === "%") return "[\\s\\S]*";
    if (part === "_") return "[\\s\\S]";
    return part.replace(/^\\(?=[\s\S])/, "").replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${source}$`, "u");
}

/** Parses the output of SHOW GRANTS. */
function parseGrants(lines: readonly string[]): Grant[] {
  return lines.flatMap((line) => {
    const found = LINE.exec(line);
    if (found === null) return [];
    const [, verb, privileges, database, object] = found;
    const list = privileges!.replace(/ \((?:`(?:[^`]|``)*`|[^)])*\)/g, " (columns)").split(",");
    return [{
      isRevoke: verb === "REVOKE",
      privileges: new Set(list.map((each) => each.trim().toUpperCase())),
      database: unquoted(database!),
      object: unquoted(object!),
    }];
  });
}

function unquoted(name: string): string {
  const mark = name[0]!;
  return mark === "*" ? name : name.slice(1, -1).replaceAll(mark + mark, mark);
}

function quoted(name: string): string {
  return "`" + name.replaceAll("`", "``") + "`";
}
