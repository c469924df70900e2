/**
 * Defines a destination type: everything that the programs know about it, except the code that reaches it.
 */
import type * as z from "zod";
import type { Field } from "../fields/field.ts";

export type SettingValue = string | number | boolean;

/** Stored settings, without secrets. A setting without a value is absent. */
export type Settings = Readonly<Record<string, SettingValue | undefined>>;

/** Secrets by field: sealed in the database, opened in a job. */
export type Secrets = Readonly<Record<string, string | undefined>>;

/** A field of a destination: a setting, a secret, or a value that only helps to store a secret. */
export interface DestinationField extends Pick<Field, "help" | "description" | "placeholder"> {
  /** Format of the values that callers send. */
  readonly schema: z.ZodType<SettingValue>;
  readonly example?: string;
  /** Names that callers use in place of the field's own; the first one is preferred. */
  readonly sentAs?: readonly string[];
  /** Sealed at rest; the API shows only whether it is set. */
  readonly isSecret?: boolean;
  readonly isRequired?: boolean;
  /** Stored if callers send no value. */
  readonly default?: SettingValue;
  /** Whether a search of destinations looks into it. */
  readonly isSearched?: boolean;
  /** Marks a private key for SSH, and names the field with its passphrase. */
  readonly passphraseField?: string;
  /** Neither stored nor shown. */
  readonly isTransient?: boolean;
}

export type DestinationFields = Readonly<Record<string, DestinationField>>;

type Always = { readonly isRequired: true } | { readonly default: SettingValue };
type Hidden = { readonly isSecret: true } | { readonly isTransient: true };
type Stored<Field extends DestinationField> = Field extends Always ? z.output<Field["schema"]>
  : z.output<Field["schema"]> | undefined;

/** Settings of a type with these fields. */
export type SettingsOf<Fields extends DestinationFields> = {
  readonly [Name in keyof Fields as Fields[Name] extends Hidden ? never : Name]: Stored<Fields[Name]>;
};

/** Secrets of a type with these fields. */
export type SecretsOf<Fields extends DestinationFields> = {
  readonly [Name in keyof Fields as Fields[Name] extends { readonly isSecret: true } ? Name : never]: Stored<
    Fields[Name]
  >;
};

/** A job's destination on the wire; types that the agent reaches in the same way share a shape. */
export type JobShape = z.ZodObject<{ type: z.ZodLiteral<string>; directory: z.ZodString }>;

/**
 * Who reaches the stored objects:
 * - `server`: only the agent of the server whose disk they are on;
 * - `agents`: every agent of the owner;
 * - `control_plane`: the control plane itself (`src/storage`), which signs requests for agents.
 */
export type Reach = "server" | "agents" | "control_plane";

export interface DestinationDefinition<
  Fields extends DestinationFields = DestinationFields,
  Shape extends JobShape = JobShape,
> {
  /** Name for people, such as `Amazon S3`. */
  readonly label: string;
  readonly reach: Reach;
  readonly fields: Fields;
  /** Fields of which one is required; the message is that of the first one. */
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
   * Directory that each task's `store_path` is joined with: absolute, relative to where the server starts, or
   * empty if objects have key prefixes instead of directories.
   */
  base(settings: SettingsOf<Fields>): string;
  /** Messages for types that refuse to store objects in the root directory `/` itself. */
  readonly refusedRoot?: {
    /** For the field `store_path`. */
    readonly storing: string;
    readonly checking: string;
  };
  /**
   * Settings whose change would make stored objects unreachable, by the name that callers send. Values that
   * lead to the same location are equal. Paths do not belong here: each backup records its own directory.
   */
  boundTo(settings: SettingsOf<Fields>): Readonly<Record<string, SettingValue | null>>;
  /** The URL that the control plane connects to, if callers choose it, and the field it is in. */
  connectsTo?(
    settings: SettingsOf<Fields>,
  ): { readonly field: keyof Fields & string; readonly url: URL } | null;
  /** Short location for lists, such as `nas:/backups`. */
  place(settings: SettingsOf<Fields>): string;
  readonly kit: RecoveryInstructions<SettingsOf<Fields>>;
}

/** Parts of the recovery kit about a destination. None of it is secret. */
export interface RecoveryInstructions<Settings> {
  /**
   * Describes the location.
   *
   * @param directory Null: the destination as a whole.
   * @param disks Names of the servers whose disks a type of reach `server` is on.
   */
  describe(settings: Settings, directory: string | null, disks: string): string;
  /** The location as `recover --from` takes it, not quoted. */
  address(settings: Settings, directory: string): string;
  /** Shell lines before that command, such as variables that it reads. */
  environment(settings: Settings, disks: string): readonly string[];
}

/** Checks a definition's type, and infers what its functions get from its fields. */
export function defineDestination<const Fields extends DestinationFields, Shape extends JobShape>(
  definition: DestinationDefinition<Fields, Shape>,
): DestinationDefinition<Fields, Shape> {
  return definition;
}
