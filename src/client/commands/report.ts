import { errorCode, Problem } from "../../platform/problem.ts";
import type { ErrorCode, ProtocolError, RefusalReason } from "../../protocol/errors.ts";
import type { Text } from "../../texts/texts.ts";
import type { Output } from "./output.ts";

/** An error in the person's language, with the server's own description. */
export class Failure extends Problem {
  readonly code: ErrorCode;
  readonly reason: RefusalReason | undefined;
  /** The server's description, in English. */
  readonly description: string;

  constructor(message: string, { code, reason, message: description }: ProtocolError) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.description = description;
  }
}

/** Prints an error in one line, never with a stack. @returns the exit code */
export function report(error: unknown, output: Output, text: Text): 1 | 2 {
  const known = error instanceof Problem || errorCode(error) !== undefined;
  const said = error instanceof Error ? error.message : String(error);
  const message = known ? said : text("problem.unexpected", { message: said });
  if (output.json) {
    const { code, reason, description } = error instanceof Failure ? error : {};
    output.errorValue({ error: { code, reason, message, description } });
  } else {
    output.error(`tertulia: ${message}`);
  }
  return error instanceof Problem ? error.exitCode : 1;
}
