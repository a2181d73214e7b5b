/** The limits and durations of the protocol and of its processes. */

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /**
   * The most characters (code points) of a user's or channel's name: such a name fits a column of a
   * terminal.
   */
  nameCharacters: 64,
  /** The most characters (code points) of one message: a long paragraph, not a document. */
  messageCharacters: 4_096,
  /** The most characters of a request's id: room for a UUID with a prefix. */
  idCharacters: 64,
  /** The most characters of a client's own timestamp, which servers only echo. */
  timestampCharacters: 64,
  /** The most bytes of one request: about four times the longest message in UTF-8. */
  requestBytes: 64 * KiB,
  /** The most requests in one array: keeps a batch's work under ten milliseconds. */
  batchRequests: 1_000,
  /** The most bytes of one array of requests. */
  batchBytes: 1 * MiB,
  /** The most values, including keys, in a client's payload or in a payload of publications. */
  payloadValues: 100_000,
  /**
   * The most bytes of one ZeroMQ frame. The bound is above `batchBytes`, so that a too large batch
   * still gets an error.
   */
  frameBytes: 4 * MiB,
  /** The most entries in a history page. */
  historyEntries: 1_000,
  historyEntriesDefault: 100,
  /** The most bytes of text in a history page or of lines in a sync answer: a page fits a frame. */
  pageBytes: 1 * MiB,
  /**
   * The most bytes that the replies to one payload's requests may have together: the reply fits a
   * frame.
   */
  replyBytes: 3 * MiB,
  /**
   * The largest number of newest publications kept for one channel (J3): the last weeks of a busy
   * channel.
   */
  channelMessages: 100_000,
  /** The largest number of newest private messages kept for one user (J3). */
  userMessages: 100_000,
  /** The largest number of newest login times kept for one user (J3). */
  userLogins: 100,
  /**
   * The most servers in a vector that a client sends: the servers whose messages the client has
   * seen.
   */
  vectorServers: 1_024,
  /** The most servers in a vector between members: all servers that ever made an event. */
  memberVectorServers: 65_536,
  /**
   * Ticks by which the saved clock is set ahead of the running Lamport clock, so that a restart
   * never reuses a number (X1).
   */
  clockReserve: 100_000,
  /** The largest reserve in ticks, for a clock that rises faster than the disk can save it. */
  clockReserveMost: 100_000_000,
  /**
   * The largest number of newest messages of one member that a receiver remembers to detect
   * replays: two proxies may deliver that many out of order.
   */
  replayWindow: 1_024,
  /**
   * The most members whose newest messages a receiver remembers; above this bound it forgets the
   * member whose newest message is oldest.
   */
  replaySenders: 1_000,
  /**
   * The most names for which the reference keeps a rank. Any process may ask for a rank, so there
   * must be a limit.
   */
  ranks: 65_536,
  /**
   * The most ticks that a client's clock may be ahead of the receiver's; a clock further ahead
   * counts as 0 (W4).
   */
  clockAhead: 1_000_000,
  /**
   * The most ticks per second by which all clients together may raise the clock of a server or of
   * the reference.
   */
  clockAheadPace: 100_000,
  /**
   * A received clock that is at most this many ticks ahead does not count against `clockAheadPace`:
   * the clocks of busy servers differ by less.
   */
  clockLead: 1_000,
  /**
   * The most processes that the reference lists. Any process may send heartbeats, so there must be
   * a limit.
   */
  processes: 1_000,
  /**
   * The most characters of a password: enough for a long sentence, too few to slow down hashing.
   */
  passwordCharacters: 256,
  /** The most characters of a session's token: enough for a name of 64 characters in any script. */
  tokenCharacters: 1_024,
  /**
   * The least and the most characters of an invitation: 12 make guessing hard, and 128 keep
   * requests small.
   */
  invitationCharactersLeast: 12,
  invitationCharacters: 128,
  /** The most topic keys that a server caches. */
  knownTopicKeys: 10_000,
  /**
   * Bytes by which one topic key counts towards `replyBytes`: deriving a key costs more than
   * sending the key.
   */
  keyCostBytes: 2_048,
  /**
   * Bytes by which one member or process counts towards `replyBytes` in a reply to `status`,
   * rounded up; then the most guests that `status` lists.
   */
  statusRowBytes: 1_024,
  statusGuests: 100,
  /**
   * The largest number of newest changes of a password, a flag or the registration that a server
   * remembers to detect retries (R6).
   */
  accountChanges: 16,
  /** The most topics in one request for keys. */
  keysTopics: 200,
  /** The most password attempts at once: at one server for one account, and over one connection. */
  accountAttempts: 10,
  connectionAttempts: 20,
  /** The most wrong invitations at once at one server, over all connections together. */
  invitationGuesses: 20,
  /**
   * The most channels that one user may create in a cluster with accounts: more than a team needs.
   */
  userChannels: 200,
  /**
   * The most users, connections or addresses with a token bucket; above this bound the longest
   * silent one is forgotten.
   */
  floodBuckets: 20_000,
  /**
   * The most passwords sent to the password thread at once, so that the thread never waits for the
   * next password.
   */
  hashesAtOnce: 2,
  /** The most passwords that wait in the queue of the password thread: about a second of work. */
  unhashedPasswords: 40,
  /** The most undecided claims that a server keeps, including claims forwarded by other servers. */
  openClaims: 1_000,
  /**
   * The most terms by which an epoch may be ahead of the highest known epoch; a server ignores an
   * epoch that is further ahead (as in W4).
   */
  termsAhead: 1_000_000,
  /**
   * The most online users that a server remembers, and the most clients of each user: more than a
   * team has.
   */
  presentUsers: 2_000,
  presentClients: 8,
  /**
   * The most presence reports of clients in one message between servers: the message fits a frame.
   */
  presenceWords: 1_000,
  /** The most events in one answer to `sync`. */
  syncEvents: 1_000,
  /** The most saved states that a server keeps open for peers that fetch them. */
  openSnapshots: 4,
  /** The most unanswered requests of a server; above this bound new requests get `unavailable`. */
  pendingRequests: 100_000,
  /**
   * The most unanswered requests of one connection at a server: as many as may arrive at once (A9).
   */
  connectionOpen: 5_000,
  /**
   * How many names in `after` count as one more request towards `connectionOpen`: 1,024 names take
   * about 60 kB of memory.
   */
  namesOfOneRequest: 16,
  /** The most messages in a socket's send queue: seconds of full load, some megabytes of memory. */
  sendQueueMessages: 100_000,
  /**
   * The most messages to one peer that libzmq queues; beyond this bound libzmq drops publications.
   */
  highWaterMark: 100_000,
  /**
   * The most connections from one address to a bound socket: all clients of one machine share its
   * address.
   */
  addressConnections: 4_096,
  /**
   * The most connections of one address that are in their handshake at once; then the most new
   * connections of one address per second, and at once. A port scan opens more.
   */
  addressHandshakes: 256,
  addressPace: 500,
  addressBurst: 2_000,
  /** The most frames of a guest's message: the envelope, the payload, and some spare. */
  messageFrames: 16,
  /**
   * The most bytes that wait for one connection that does not read, and for all connections of a
   * socket.
   */
  unreadBytes: 16 * MiB,
  unreadBytesOfAll: 256 * MiB,
  /** The most bytes of incomplete messages, summed over all connections of a socket. */
  heldBytesOfAll: 64 * MiB,
  /**
   * The most open requests of one connection at a broker, and their bytes; above this bound the
   * broker stops reading from the connection.
   */
  openRequests: 4_096,
  openRequestBytes: 16 * MiB,
  /**
   * The most open requests at a broker, and their bytes; above this bound new requests get
   * `unavailable`.
   */
  openRequestsOfAll: 200_000,
  openRequestBytesOfAll: 256 * MiB,
  /**
   * The most bytes of a topic: a name of 64 characters in any script, with the characters around
   * the name (P2).
   */
  topicBytes: 320,
  /** The most topics of one connection at a proxy. */
  connectionTopics: 10_000,
  /**
   * The most topics at a proxy, and their bytes: a proxy sends all topics at once to a new
   * publisher.
   */
  topics: 100_000,
  topicBytesOfAll: 8 * MiB,
  /**
   * The most changes of the wanted topics that a proxy sends to members at once: a new chat causes
   * some dozens.
   */
  topicNews: 200,
  /** The most subscriptions at a proxy: the sum of the topics of all connections. */
  subscriptions: 500_000,
  /**
   * The most journal lines that share one write and sync: their text is far shorter than the
   * longest string.
   */
  batchLines: 10_000,
  /**
   * The most messages in a user's outbox: more than a user types before noticing that no message is
   * sent (C5).
   */
  outboxMessages: 1_000,
  /** Bytes of an outbox file; above this bound, messages with a final answer are removed. */
  outboxBytes: 256 * KiB,
  /** Bytes of a journal file; above this bound, a new file begins. */
  journalFileBytes: 16 * MiB,
  /** Default bytes of journal between two checkpoints (J1). */
  checkpointBytes: 64 * MiB,
  /** Bytes of journal after which a checkpoint that failed for lack of space is tried again. */
  checkpointRetryBytes: 4 * MiB,
  /**
   * The most bytes of older journal kept for peers that miss events, as a multiple of
   * `checkpointBytes`.
   */
  journalKeptCheckpoints: 2,
} as const;

/**
 * Bytes of a broker's tag in front of a request: 8 for the client's connection, 8 for the request
 * (B1).
 */
export const tagBytes = 16;

/** Durations of the protocol and of its processes, in milliseconds. */
export const durations = {
  /** Time between two heartbeats of a server on `replication`. */
  heartbeatMs: 500,
  /** Silence after which a peer no longer counts as live. */
  peerSilenceMs: 1_500,
  /** Silence on `replication` after which a server polls the peer over their peer link (R8). */
  pollAfterMs: 1_200,
  pollMs: 200,
  /** Time after which a server gives up a write without a quorum (R3). */
  commitMs: 2_000,
  /** Extra time that a write without `after` waits for all live members (R9). */
  allMembersMs: 250,
  /** Time that a read waits for events that its `after` names (R9). */
  coverMs: 1_000,
  /** The timeout of `sync`, and of a request to the reference. */
  peerRequestMs: 1_000,
  /** Time between two heartbeats of the coordinator (E1). */
  coordinatorHeartbeatMs: 250,
  /** Silence after which servers regard the coordinator as failed. */
  coordinatorSilenceMs: 1_500,
  /** The timeout of `election`. */
  electionMs: 300,
  /**
   * Time that a server waits for the announcement of a server that has a higher rank or a promise.
   */
  announcementMs: 1_000,
  /** Time that a candidate waits for promises and accepts before it begins again. */
  candidacyMs: 2_000,
  /**
   * Time after which a candidate or coordinator repeats its request to members that have not
   * answered.
   */
  askAgainMs: 200,
  /** The shortest time between two checks of all open claims. */
  claimsMs: 5,
  /** Time after which a server gives up an undecided claim, so that the client tries again. */
  claimMs: 1_900,
  /** The lifetime of a session's token, and the age above which a server replaces a used token. */
  sessionMs: 43_200_000,
  renewSessionMs: 3_600_000,
  /** Time after which one more password attempt is allowed. */
  accountAttemptMs: 5_000,
  connectionAttemptMs: 500,
  /** Time after which one more wrong invitation is checked: a server checks two per second. */
  invitationGuessMs: 500,
  /** The lifetime of a token that a command signs with the cluster's secret for one request. */
  operatorMs: 60_000,
  /** Time between two presence reports of a client, and between two of a server to its peers. */
  presenceMs: 10_000,
  /** The shortest time between two presence messages about changes. */
  presenceNewsMs: 200,
  /** Silence after which a client counts as offline: two lost reports are tolerated. */
  presenceSilenceMs: 30_000,
  /** Time between two clock rounds, in which the coordinator compares all clocks (Berkeley, E5). */
  clockRoundMs: 5_000,
  /** The timeout of `clock`, and the round trip above which an answer is too inexact to use. */
  clockAnswerMs: 1_000,
  clockRoundTripMs: 40,
  /** Distance from the median above which a clock is left out of the average. */
  clockOutlierMs: 10_000,
  /** The largest correction of a clock: a century. */
  clockCorrectionMs: 3_155_760_000_000,
  /** The timeout for fetching one page of a saved state: a megabyte, perhaps from a busy disk. */
  snapshotPageMs: 5_000,
  /** Time after the last request of a peer after which a server closes a saved state. */
  snapshotIdleMs: 30_000,
  /** Time that a server with lost events waits for peers to return more of these events (J5). */
  repairMs: 60_000,
  /** Pause in writing after which the journal writes a sync note about its last batch (J2). */
  journalIdleMs: 50,
  /** Time allowed for the last checkpoint of a stopping server (R11). */
  lastCheckpointMs: 1_000,
  /**
   * Time that a stopping server waits for a moment without open requests; after this time it
   * refuses new requests.
   */
  patienceMs: 250,
  /**
   * Time that a stopping server, after `patienceMs`, waits for its open requests, and for its peers
   * (R11).
   */
  drainMs: 2_000,
  settleMs: 2_000,
  /** Time that a leaving server waits to be taken out of the view (R11). */
  leaveMs: 9_000,
  /** Silence after which the reference removes a process from its list. */
  aliveMs: 2_000,
  /**
   * Silence after which the reference removes a guest of the original protocol, whose heartbeats
   * are seconds apart.
   */
  originalAliveMs: 30_000,
  /** Silence after which the reference forgets a process that is not a member. */
  forgetMs: 60_000,
  /** Time that a newly started reference waits for reports of a higher view. */
  firstViewMs: 1_200,
  /**
   * The timeout of a heartbeat to the reference. A process ignores a view that arrives later, for
   * example after it was stopped, because a reference that lost its file may no longer have that
   * view.
   */
  viewAnswerMs: 700,
  /**
   * Interval and timeout of ZMTP heartbeats: a hung or cut-off server leaves the rotation within 2
   * s.
   */
  zmtpIntervalMs: 500,
  zmtpTimeoutMs: 1_500,
  /** The timeout of a connection's handshake. */
  handshakeMs: 5_000,
  /** Time between two messages of a proxy to members about changes of the wanted topics. */
  topicNewsMs: 20,
  /** Time after which a broker stops waiting for a reply: every server answers much sooner. */
  openRequestMs: 30_000,
  /** Time between two ticks of the core. */
  tickMs: 50,
} as const;
