/** The closed list of error codes (W8), each with whether the same request later or elsewhere helps. */
export const errorCodes = {
  bad_request: { retry: false },
  unknown_service: { retry: false },
  too_large: { retry: false },
  name_invalid: { retry: false },
  name_taken: { retry: false },
  channel_exists: { retry: false },
  channel_not_found: { retry: false },
  user_not_found: { retry: false },
  unauthenticated: { retry: false },
  forbidden: { retry: false },
  rate_limited: { retry: true },
  behind: { retry: true },
  unavailable: { retry: true },
  internal: { retry: true },
} as const satisfies Record<string, { retry: boolean }>;

export type ErrorCode = keyof typeof errorCodes;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errorCodes, value);
}

/** A refusal that the other side can be told: a code and one sentence. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ErrorCode;
  readonly retry: boolean;
  /** Seconds after which it may help to ask again. */
  readonly wait: number | undefined;

  constructor(code: ErrorCode, description: string, wait?: number) {
    super(description);
    this.wait = wait;
    this.code = code;
    this.retry = errorCodes[code].retry;
  }
}
