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

/** The fields of a map; any other value has none. */
export function fieldsOf(value: unknown): Fields {
  return isMap(value) ? value : {};
}

/** Parses a field's value, or throws an error that names the field. */
export type Field<T> = (value: unknown, name: string) => T;

/** A parsed map: a field that can be undefined may be missing. */
type Parsed<T> = {
  readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { readonly [K in keyof T as undefined extends T[K] ? K : never]?: T[K] };

/** Parses each field of a map by its own parser, in the order of this table. */
export function object<T extends object>(parsers: { readonly [K in keyof T]-?: Field<T[K]> }) {
  const entries = Object.entries(parsers) as [string, Field<unknown>][];
  return (fields: Fields): Parsed<T> => {
    const parsed: Record<string, unknown> = {};
    for (const [name, parse] of entries) parsed[name] = parse(fields[name], name);
    return parsed as Parsed<T>;
  };
}

/** For each word of a field `Tag`, the parser of the other fields of such a message. */
export type KindTable = Readonly<Record<string, (fields: Fields) => object>>;

/** The union of the messages that such a table parses. */
export type Kinds<Tag extends string, Table extends KindTable> = {
  [Word in keyof Table]: { readonly [K in Tag]: Word } & ReturnType<Table[Word]>;
}[keyof Table];

/** A field that may be missing, or nil. */
export function optional<T>(parse: Field<T>): Field<T | undefined> {
  return (value, name) => (value == null ? undefined : parse(value, name));
}

/** Any value but `true` counts as false. */
export function isTrue(value: unknown): boolean {
  return value === true;
}

/** A text; any other value counts as missing. */
export function textIfAny(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
