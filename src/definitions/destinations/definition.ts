/**
 * Defines a destination type by its properties. The code that accesses the storage is not part of the
 * definition.
 */
import type * as z from "zod";
import type { Field } from "../fields/field.ts";

export type SettingValue = string | number | boolean;

/** Stored settings of a destination by field, without secrets. A setting without a value is absent. */
export type Settings = Readonly<Record<string, SettingValue | undefined>>;

/** Secrets of a destination by field. They are encrypted in the database and decrypted in a job. */
export type Secrets = Readonly<Record<string, string | undefined>>;

/**
 * A field of a destination: a setting, a secret, or a transient value. A transient value is needed only once:
 * it decrypts a secret before the secret is stored.
 */
export interface DestinationField extends Pick<Field, "help" | "description" | "placeholder"> {
  /** Format of the values that callers send for the field. */
  readonly schema: z.ZodType<SettingValue>;
  readonly example?: SettingValue;
  /** Names under which callers send the field; the first name is preferred. Default: the field's own name. */
  readonly sentAs?: readonly string[];
  /** Whether the value is stored encrypted. The API shows only whether such a field is set. */
  readonly isSecret?: boolean;
  readonly isRequired?: boolean;
  /** Value to store if callers send none. */
  readonly default?: SettingValue;
  /** Whether a search for destinations also looks into this field. */
  readonly isSearched?: boolean;
  /** Name of the field with the passphrase, if this field is an SSH private key. */
  readonly passphraseField?: string;
  /** Whether the value is neither stored nor shown. */
  readonly isTransient?: boolean;
}

export type DestinationFields = Readonly<Record<string, DestinationField>>;

type Always = { readonly isRequired: true } | { readonly default: SettingValue };
type Hidden = { readonly isSecret: true } | { readonly isTransient: true };
type Stored<Field extends DestinationField> = Field extends Always ? z.output<Field["schema"]>
  : z.output<Field["schema"]> | undefined;

/** Settings of a destination type with the fields `Fields`. */
export type SettingsOf<Fields extends DestinationFields> = {
  readonly [Name in keyof Fields as Fields[Name] extends Hidden ? never : Name]: Stored<Fields[Name]>;
};

/** Secrets of a destination type with the fields `Fields`. */
export type SecretsOf<Fields extends DestinationFields> = {
  readonly [Name in keyof Fields as Fields[Name] extends { readonly isSecret: true } ? Name : never]: Stored<
    Fields[Name]
  >;
};

/**
 * Schema of the destination in a job, as sent to agents. Destination types that agents access in the same way
 * share a schema.
 */
export type JobShape = z.ZodObject<{ type: z.ZodLiteral<string>; directory: z.ZodString }>;

/**
 * Who accesses the stored objects:
 * - `server`: only the agent of the server whose disk they are on;
 * - `agents`: every agent of the workspace;
 * - `control_plane`: the control plane itself. Agents use requests that it signs (in `src/storage`).
 */
export type Reach = "server" | "agents" | "control_plane";

/** The URL of a storage service, and the field that contains it. */
export interface Endpoint<Name extends string = string> {
  readonly field: Name;
  readonly url: URL;
}

export interface DestinationDefinition<
  Fields extends DestinationFields = DestinationFields,
  Shape extends JobShape = JobShape,
> {
  /** Name for people, such as `Amazon S3`. */
  readonly label: string;
  readonly reach: Reach;
  readonly fields: Fields;
  /**
   * Fields of which at least one is required. If all are missing, the message is reported for the first field
   * of the list.
   */
  readonly requiredOneOf?: {
    readonly fields: readonly (keyof Fields & string)[];
    readonly message: string;
  };
  readonly jobShape: Shape;
  job(
    settings: SettingsOf<Fields>,
    secrets: SecretsOf<Fields>,
    directory: string,
  ): z.output<Shape>;
  /**
   * Returns the directory to which each task's `store_path` is appended. A relative directory is relative to
   * the directory in which a session on the storage server starts. Buckets have no base directory: for them,
   * returns an empty string, so that the keys of objects begin with `store_path`.
   */
  base(settings: SettingsOf<Fields>): string;
  /**
   * Messages for users who would store objects directly in the root directory `/`. Absent if this type of
   * destination allows that.
   */
  readonly refusedRoot?: {
    /** Message about the field `store_path` of a task. */
    readonly storing: string;
    readonly checking: string;
  };
  /**
   * Returns the settings that must not change while objects are stored. If they changed, the objects would be
   * unreachable. If two sets of settings lead to the same location, their results are equal. The result has
   * the field names that callers send. It contains no paths, because each backup records its own directory.
   */
  boundTo(settings: SettingsOf<Fields>): Readonly<Record<string, SettingValue | null>>;
  /**
   * Returns the http or https URL of the storage service, and the field that contains the URL. Undefined for
   * a destination type that does not use HTTP, or whose address callers can't choose.
   */
  endpoint?(settings: SettingsOf<Fields>): Endpoint<keyof Fields & string>;
  /** Returns a short location for lists, such as `nas:/backups`. */
  location(settings: SettingsOf<Fields>): string;
  readonly kit: RecoveryInstructions<SettingsOf<Fields>>;
}

/** The parts of a recovery kit that describe one destination. None of them is secret. */
export interface RecoveryInstructions<Settings> {
  /**
   * Describes the location for people.
   *
   * @param directory Directory of a backup; null describes the destination as a whole.
   * @param disks Names of the servers whose disks hold the backups. Used if `reach` is `server`.
   */
  describe(settings: Settings, directory: string | null, disks: string): string;
  /** Returns the location as a person enters it after `recover --from`, without shell quotes. */
  address(settings: Settings, directory: string): string;
  /** Returns shell lines to run before `recover`, such as lines that set variables which `recover` reads. */
  environment(settings: Settings, disks: string): readonly string[];
  /** How `recover` reads the address of a destination of this type. Missing for types without a login. */
  readonly reading?: AddressReading<Settings>;
}

/**
 * How `recover` reads the address of a destination. The address never contains a password: `recover` refuses
 * an address with a password.
 */
export interface AddressReading<Settings> {
  readonly schemes: readonly string[];
  /** Forms of an address, for error messages. */
  readonly form: string;
  /** Returns the settings that the address contains. The address always has a user name. */
  settings(address: URL): Partial<Settings>;
  /**
   * What messages of `recover` call the settings that are part of the address. For example, they call
   * `sftp_host` `its host`. The settings that are not part of the address, and the secrets, come from the
   * environment.
   */
  readonly words: { readonly [Name in keyof Settings]?: string };
}

/**
 * Returns the definition unchanged. The call lets the compiler check the definition's type. The compiler also
 * infers the parameter types of the definition's functions from the definition's fields.
 */
export function defineDestination<const Fields extends DestinationFields, Shape extends JobShape>(
  definition: DestinationDefinition<Fields, Shape>,
): DestinationDefinition<Fields, Shape> {
  return definition;
}
