/** The limits of what servers remember and tell of the steps of events (Q14, O63). */
export const stepLimits = {
  /** The most steps of one event that a server tells: far more than seven members need. */
  eventSteps: 100,
  /**
   * Bytes by which each member's steps in a reply to `trace` count towards `replyBytes`: an upper
   * estimate.
   */
  traceMemberBytes: 16 * 1_024,
  /**
   * The most requests that wait for their event, of which a server remembers when they came. If
   * there are more, a trace lacks the step of the oldest.
   */
  waitingAsked: 1_000,
  /** The most open traces of a server, each of which asks all members. */
  openTraces: 20,
  /** The most open traces of one connection at a server, so that others can ask too. */
  connectionTraces: 3,
  /** How many requests a `trace` counts as: each member searches all its records twice. */
  traceCost: 20,
} as const;
