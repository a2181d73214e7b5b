/**
 * Something a person has to put right: a port that is taken, a folder in use, a damaged file. Its
 * message is one sentence that says what to do; it is shown without a stack.
 */
export class Problem extends Error {
  override readonly name = "Problem";
  /** 1 for what went wrong, 2 for a wrong use. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** What the operating system said, in its short form: `ENOSPC`, `EACCES` … */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}
