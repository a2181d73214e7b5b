/**
 * All error codes (W8). `retry` is true if the same request may succeed later or at another server.
 */
export const errorCodes = {
  bad_request: { retry: false },
  unknown_service: { retry: false },
  too_large: { retry: false },
  name_invalid: { retry: false },
  name_taken: { retry: false },
  id_reused: { retry: false },
  channel_exists: { retry: false },
  channel_not_found: { retry: false },
  user_not_found: { retry: false },
  hook_not_found: { retry: false },
  sold_out: { retry: false },
  too_few_coins: { retry: false },
  card_not_owned: { retry: false },
  trade_not_found: { retry: false },
  seated: { retry: false },
  term_passed: { retry: false },
  not_in_match: { retry: false },
  match_over: { retry: false },
  not_started: { retry: false },
  already_ready: { retry: false },
  deck_wrong: { retry: false },
  not_your_turn: { retry: false },
  card_not_in_hand: { retry: false },
  card_does_not_beat: { retry: false },
  already_played: { retry: false },
  too_few_points: { retry: false },
  too_early: { retry: false },
  move_unknown: { retry: false },
  match_not_found: { retry: false },
  unauthenticated: { retry: false },
  forbidden: { retry: false },
  unsupported: { retry: false },
  rate_limited: { retry: true },
  expired: { retry: false },
  behind: { retry: true },
  unavailable: { retry: true },
  internal: { retry: true },
} as const satisfies Record<string, { retry: boolean }>;

export type ErrorCode = keyof typeof errorCodes;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errorCodes, value);
}

/** All reasons that a refusal may name, if its code alone is not specific enough (W8). */
export const refusalReasons = [
  "no_accounts",
  "no_session",
  "session_unknown",
  "session_expired",
  "password_changed",
  "password_wrong",
  "account_locked",
  "not_administrator",
  "other_user",
  "registration_closed",
  "invitation_wanted",
  "name_in_use",
  "name_confusable",
  "too_many_channels",
  "channel_removed",
  "too_many_hooks",
  "too_many_trades",
  "upgrade_unfinished",
] as const;

export type RefusalReason = (typeof refusalReasons)[number];

export function isRefusalReason(value: unknown): value is RefusalReason {
  return refusalReasons.includes(value as RefusalReason);
}

interface ErrorDetails {
  readonly wait?: number | undefined;
  readonly reason?: RefusalReason | undefined;
}

/** An error to be sent to another process: a code, and a description in one sentence. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ErrorCode;
  readonly retry: boolean;
  /** The number of seconds after which the same request may succeed. */
  readonly wait: number | undefined;
  readonly reason: RefusalReason | undefined;

  constructor(code: ErrorCode, description: string, { wait, reason }: ErrorDetails = {}) {
    super(description);
    this.wait = wait;
    this.reason = reason;
    this.code = code;
    this.retry = errorCodes[code].retry;
  }
}

/**
 * Returns true if the error says that this channel exists, and false if only a channel with a
 * confusable name exists.
 */
export function isExistingChannel(error: unknown): error is ProtocolError {
  if (!(error instanceof ProtocolError)) return false;
  return error.code === "channel_exists" && error.reason !== "name_confusable";
}

/** An invalid message of a peer. The receiver drops and counts such messages. */
export class PeerMessageError extends Error {
  override readonly name = "PeerMessageError";
}
