/** A decoded map whose values are unchecked. */
export type Fields = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is Fields {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

/** Returns the value if it is a map, else an empty map. */
export function fieldsOf(value: unknown): Fields {
  return isMap(value) ? value : {};
}

/** Parses a field's value, or throws an error that names the field. */
export type Field<T> = (value: unknown, name: string) => T;

/** The type of a parsed map. Fields whose type includes undefined are optional. */
type Parsed<T> = {
  readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { readonly [K in keyof T as undefined extends T[K] ? K : never]?: T[K] };

/**
 * Returns a parser that reads each field of a map with the field's own parser, in the order of
 * `parsers`.
 */
export function object<T extends object>(parsers: { readonly [K in keyof T]-?: Field<T[K]> }) {
  const entries = Object.entries(parsers) as [string, Field<unknown>][];
  return (fields: Fields): Parsed<T> => {
    const parsed: Record<string, unknown> = {};
    for (const [name, parse] of entries) parsed[name] = parse(fields[name], name);
    return parsed as Parsed<T>;
  };
}

/**
 * For each value of the field that tells a message's kind (`type` or `service`), the parser of the
 * message's other fields.
 */
export type KindTable = Readonly<Record<string, (fields: Fields) => object>>;

/** The union of all messages that the parsers of a `KindTable` return. */
export type Kinds<Tag extends string, Table extends KindTable> = {
  [Word in keyof Table]: { readonly [K in Tag]: Word } & ReturnType<Table[Word]>;
}[keyof Table];

/** Makes a field optional: a missing or nil value reads as undefined. */
export function optional<T>(parse: Field<T>): Field<T | undefined> {
  return (value, name) => (value == null ? undefined : parse(value, name));
}

/** Reads a flag: any value except `true` counts as false. */
export function isTrue(value: unknown): boolean {
  return value === true;
}

/** Returns a string unchanged, and undefined for any other value. */
export function textIfAny(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
