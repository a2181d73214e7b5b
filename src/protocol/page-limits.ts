const KiB = 1024;
const MiB = 1024 * KiB;

/** The limits of pages of a history, and of pages of found messages (Q31), a part of `limits`. */
export const pageLimits = {
  /** The most entries in a history page. */
  historyEntries: 1_000,
  historyEntriesDefault: 100,
  /**
   * The most bytes of text in a history page, or of event lines in an answer to `sync`. So a page
   * fits one frame.
   */
  pageBytes: 1 * MiB,
  /** The most characters of what a `search` looks for. */
  searchCharacters: 256,
  /** The most words of a `search`, so that one message is compared with few. */
  searchWords: 16,
  /**
   * Bytes by which each message that a `search` looks at counts towards `pageBytes` and
   * `replyBytes`, besides three for each character. So a page of a search takes about as
   * long as a history page.
   */
  searchedBytes: 100,
  /** The most searches that wait for a server's engine. */
  openSearches: 100,
  /** The most searches that an engine does for one server at once. */
  searchesAtOnce: 2,
  /** How many requests a `search` counts as for its connection's pace (X4). */
  searchCost: 5,
} as const;
