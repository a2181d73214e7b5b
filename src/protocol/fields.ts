/** A decoded map whose values nobody has checked yet. */
export type Fields = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is Fields {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

/** The fields of a value that should be a map; none of any other value. */
export function fieldsOf(value: unknown): Fields {
  return isMap(value) ? value : {};
}

/** Takes a field's value, or throws an error that names the field. */
export type Field<T> = (value: unknown, name: string) => T;

/** Takes each field of a map by its own parser, in the order in which they are written here. */
export function object<T extends object>(parsers: { readonly [K in keyof T]-?: Field<T[K]> }) {
  const entries = Object.entries(parsers) as [string, Field<unknown>][];
  return (fields: Fields): T => {
    const parsed: Record<string, unknown> = {};
    for (const [name, parse] of entries) parsed[name] = parse(fields[name], name);
    return parsed as T;
  };
}

/** What the messages of a union with this word in their field `Tag` have beside it. */
export type Own<Whole, Tag extends string, Word> = Whole extends {
  readonly [K in Tag]: infer Words;
}
  ? Word extends Words
    ? Omit<Whole, Tag>
    : never
  : never;

/** For each word of a union's field `Tag` the parser of such a message's other fields. */
export type Kinds<Whole extends { readonly [K in Tag]: string }, Tag extends string> = {
  readonly [Word in Whole[Tag]]: (fields: Fields) => Own<Whole, Tag, Word>;
};

/** A field that may be missing, or nil. */
export function optional<T>(parse: Field<T>): Field<T | undefined> {
  return (value, name) => (value == null ? undefined : parse(value, name));
}

/** What is not `true` counts as false. */
export function isTrue(value: unknown): boolean {
  return value === true;
}

/** A text; what is none counts as missing. */
export function textIfAny(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
