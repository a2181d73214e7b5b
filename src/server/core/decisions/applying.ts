import type { Operation } from "../../../protocol/operation.ts";

/**
 * Applies an operation of one kind, and returns what came of it. The outcome depends only on the
 * state that the log has made, on the operation, and on the time. An operation that is refused
 * changes nothing (D5).
 */
export type Apply = (operation: Operation, time: number) => Outcome;

/** `done`, or why the operation is refused; perhaps with what it made, as JSON, for its asker. */
export type Outcome = string | { readonly outcome: string; readonly result: object };

type Tables<Fields> = {
  readonly readers: { readonly [K in keyof Fields]: (operation: Operation) => Fields[K] };
  readonly judges: {
    readonly [K in keyof Fields]: (asked: Fields[K], operation: Operation, time: number) => Outcome;
  };
};

/**
 * Joins, for each kind of operation, what reads its fields and what judges it. An operation whose
 * fields can't be read is `invalid`: a server of another version has made it.
 */
export function applying<Fields extends object>(
  readers: Tables<Fields>["readers"],
  judges: Tables<Fields>["judges"],
): Readonly<Record<keyof Fields & string, Apply>> {
  const apply = (kind: keyof Fields): Apply => {
    return (operation, time) => {
      let fields: Fields[typeof kind];
      try {
        fields = readers[kind](operation);
      } catch {
        return "invalid";
      }
      return judges[kind](fields, operation, time);
    };
  };
  const kinds = Object.keys(readers) as (keyof Fields & string)[];
  return Object.fromEntries(kinds.map((kind) => [kind, apply(kind)])) as Record<
    keyof Fields & string,
    Apply
  >;
}
