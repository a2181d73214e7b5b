/** A decoded map whose values nobody has checked yet. */
export type Fields = Readonly<Record<string, unknown>>;
