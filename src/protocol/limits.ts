import { decisionLimits } from "./decision-limits.ts";
import { hookLimits } from "./hooks.ts";
import { pageLimits } from "./page-limits.ts";
import { stepLimits } from "./step-limits.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** The most characters (code points) of a user's or channel's name. */
  nameCharacters: 64,
  /** The most characters (code points) of one message: a long paragraph, not a document. */
  messageCharacters: 4_096,
  /** The most characters of a request's id: room for a UUID with a prefix. */
  idCharacters: 64,
  /** The most characters of a client's own timestamp, which servers only echo. */
  timestampCharacters: 64,
  /** The most bytes of one request: four times the longest message in UTF-8 (16 KiB). */
  requestBytes: 64 * KiB,
  /** The most requests in one array: a server handles an array in under ten milliseconds. */
  batchRequests: 1_000,
  /** The most bytes of one array of requests. */
  batchBytes: 1 * MiB,
  /** The most values, including keys, in a client's payload or in a payload of publications. */
  payloadValues: 100_000,
  /**
   * The most bytes of one ZeroMQ frame. The bound is above `batchBytes`, so that the sender of a
   * batch above `batchBytes` gets an error reply.
   */
  frameBytes: 4 * MiB,
  ...pageLimits,
  /** The most bytes of the replies to one payload together, so that they fit one frame. */
  replyBytes: 3 * MiB,
  /** The most publications of one channel that servers keep; the oldest are dropped first (J3). */
  channelMessages: 100_000,
  /** The most private messages of one user that servers keep; the oldest are dropped first (J3). */
  userMessages: 100_000,
  /** The most login times of one user that servers keep; the oldest are dropped first (J3). */
  userLogins: 100,
  /** The most servers in a vector that a client sends. */
  vectorServers: 1_024,
  /** The most servers in a vector between members, which names every server that ever wrote. */
  memberVectorServers: 65_536,
  /**
   * Ticks by which the clock on disk is set ahead of the running Lamport clock, so that a restarted
   * process never sends the same clock twice (X1).
   */
  clockReserve: 100_000,
  /**
   * The most ticks that the clock on disk is set ahead. The reserve doubles each time the running
   * clock uses it up within a second.
   */
  clockReserveMost: 100_000_000,
  /**
   * The most messages of one member that a receiver remembers to detect replays. Two proxies may
   * deliver that many messages out of order.
   */
  replayWindow: 1_024,
  /** The most members that a receiver remembers; it forgets the one with the lowest clock. */
  replaySenders: 1_000,
  /** The most names with a rank at the reference, where any process may ask for a rank. */
  ranks: 65_536,
  /** The most ticks that a client's clock may be ahead; a clock further ahead counts as 0 (W4). */
  clockAhead: 1_000_000,
  /** The most ticks per second by which all clients together may raise a process's clock. */
  clockAheadPace: 100_000,
  /**
   * A received clock that is at most this many ticks ahead does not count against `clockAheadPace`:
   * the clocks of busy servers differ by less.
   */
  clockLead: 1_000,
  /** The most processes in the reference's list, to which any process may send heartbeats. */
  processes: 1_000,
  /** The most characters of a password: a long sentence, hashed without delay. */
  passwordCharacters: 256,
  /** The most characters of a session's token: enough for a name of 64 characters in any script. */
  tokenCharacters: 1_024,
  /** The fewest characters of an invitation, so that guessing one is hard. */
  invitationCharactersLeast: 12,
  /** The most characters of an invitation, so that requests stay small. */
  invitationCharacters: 128,
  ...hookLimits,
  /** The most topic keys that a server caches. */
  knownTopicKeys: 10_000,
  /**
   * Bytes by which one topic key counts towards `replyBytes`. The number is larger than a key,
   * because deriving a key takes a server long.
   */
  keyCostBytes: 2_048,
  /**
   * Bytes by which each member or process in a reply to `status` counts towards `replyBytes`: an
   * upper estimate.
   */
  statusRowBytes: 1_024,
  /**
   * Free bytes below which a server's disk is nearly full: room for the journal and two saved
   * states. On a disk below 20 GiB, `diskFreePercent` of the disk counts instead.
   */
  diskFreeBytes: 1_024 * MiB,
  diskFreePercent: 5,
  ...stepLimits,
  /** The most guests that a reply to `status` lists. */
  statusGuests: 100,
  /** The most changes of one thing, such as a channel, that a server remembers (R6). */
  accountChanges: 16,
  /** The most topics in one request for keys. */
  keysTopics: 200,
  /**
   * How many password attempts for one account a server accepts at once, before it enforces
   * `accountAttemptMs`.
   */
  accountAttempts: 10,
  /**
   * How many password attempts over one connection a server accepts at once, before it enforces
   * `connectionAttemptMs`.
   */
  connectionAttempts: 20,
  /**
   * How many wrong invitations a server checks at once, over all connections together, before it
   * enforces `invitationGuessMs`.
   */
  invitationGuesses: 20,
  /** The most channels of one user in a cluster with accounts: more than a team needs. */
  userChannels: 200,
  /**
   * The most users, connections or addresses that have a token bucket. Above this bound the bucket
   * that was unused for longest is dropped.
   */
  floodBuckets: 20_000,
  /**
   * The most passwords sent to the password thread at once. While it hashes one, the next already
   * waits in the thread.
   */
  hashesAtOnce: 2,
  /** The most passwords that a server queues for the password thread: about a second of work. */
  unhashedPasswords: 40,
  ...decisionLimits,
  /**
   * The most terms by which a received epoch may be above the highest known epoch. A server ignores
   * an epoch that is further above (as in W4).
   */
  termsAhead: 1_000_000,
  /** The most online users that a server remembers: more than a team has. */
  presentUsers: 2_000,
  /** The most clients of one online user that a server remembers. */
  presentClients: 8,
  /** The most presence reports in one message between servers, so that it fits a frame. */
  presenceWords: 1_000,
  /** The most events in one answer to `sync`. */
  syncEvents: 1_000,
  /** The most saved states that a server keeps open for peers that fetch them. */
  openSnapshots: 4,
  /** The most unanswered requests of a server; above this bound new requests get `unavailable`. */
  pendingRequests: 100_000,
  /**
   * The most unanswered requests of one connection at a server: as many as the default pace lets
   * through at once (A9).
   */
  connectionOpen: 5_000,
  /**
   * How many server names in a payload's `after` count as one request towards `connectionOpen`,
   * because names take memory: 1,024 names take about 60 kB.
   */
  namesOfOneRequest: 16,
  /**
   * The most messages in a publisher's send queue, and the most questions that wait for a connection:
   * several seconds of full load.
   */
  sendQueueMessages: 100_000,
  /** The most messages that libzmq queues for one peer; it drops further publications. */
  highWaterMark: 100_000,
  /**
   * The most connections from one address to a bound socket. The bound is high, because all clients
   * of one machine share its address.
   */
  addressConnections: 4_096,
  /** The most connections of one address that are in their handshake at once. */
  addressHandshakes: 256,
  /** The most new connections per second from one address. */
  addressPace: 500,
  /** The most new connections from one address at once, before `addressPace` limits them. */
  addressBurst: 2_000,
  /** The most frames of a guest's message: the envelope, the payload, and some spare frames. */
  messageFrames: 16,
  /** The most bytes that a process queues for one connection whose peer does not read. */
  unreadBytes: 16 * MiB,
  /** The most bytes that a process queues for all connections of a socket together. */
  unreadBytesOfAll: 256 * MiB,
  /** The most bytes of incomplete messages, summed over all connections of a socket. */
  heldBytesOfAll: 64 * MiB,
  /**
   * The most open requests of one connection at a broker, and their bytes. At either bound the
   * broker stops reading from the connection.
   */
  openRequests: 4_096,
  openRequestBytes: 16 * MiB,
  /**
   * The most open requests at a broker, and their bytes. At either bound new requests get
   * `unavailable`.
   */
  openRequestsOfAll: 200_000,
  openRequestBytesOfAll: 256 * MiB,
  /** The most bytes of a topic: a name of 64 characters in any script, and its marks (P2). */
  topicBytes: 320,
  /** The most topics of one connection at a proxy. */
  connectionTopics: 10_000,
  /**
   * The most topics at a proxy, and the most bytes of all these topics: a proxy sends them all at
   * once to each new publisher.
   */
  topics: 100_000,
  topicBytesOfAll: 8 * MiB,
  /**
   * The most changes of the wanted topics that a proxy sends to members at once; the rest waits for
   * `topicNewsMs`. A starting chat causes some dozens of changes.
   */
  topicNews: 200,
  /** The most subscriptions at a proxy: the sum of the topics of all connections. */
  subscriptions: 500_000,
  /**
   * The most journal lines that share one write and sync. Their text stays far shorter than the
   * longest JavaScript string.
   */
  batchLines: 10_000,
  /**
   * The most messages in a user's outbox: more than a user types before noticing that no message is
   * sent (C5).
   */
  outboxMessages: 1_000,
  /**
   * Bytes of an outbox file above which the client removes the settled messages from the file.
   * After a removal, the bound is this number plus twice the bytes that are left in the file.
   */
  outboxBytes: 256 * KiB,
  /** Bytes of a journal file above which the server begins a new file. */
  journalFileBytes: 16 * MiB,
  /** The default for the bytes of journal between two checkpoints (J1). */
  checkpointBytes: 64 * MiB,
  /** Bytes of new journal before a server retries a checkpoint that found the disk full. */
  checkpointRetryBytes: 4 * MiB,
  /**
   * For peers that miss events, a server keeps journal files that are older than its saved state.
   * This is the most bytes of such files, as a multiple of `checkpointBytes`.
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
  /** Time after which a server stops waiting for a quorum to store a write (R3). */
  commitMs: 2_000,
  /**
   * The most time that a write without `after` waits until all live members have its event on disk
   * (R9), or that a read without `after` waits for commits (Q4).
   */
  allMembersMs: 250,
  /** The most time that a request waits for the events that its `after` names (R9). */
  coverMs: 1_000,
  /** The timeout of `sync`, and of a request to the reference. */
  peerRequestMs: 1_000,
  /** Time between two heartbeats of the coordinator (E1). */
  coordinatorHeartbeatMs: 250,
  /** Silence after which servers regard the coordinator as failed. */
  coordinatorSilenceMs: 1_500,
  /** The timeout of `election`. */
  electionMs: 300,
  /** Time that a server waits for a likely coordinator to announce that it is elected. */
  announcementMs: 1_000,
  /** Time that a candidate waits for promises and accepts before it begins again. */
  candidacyMs: 2_000,
  /** Time after which a candidate or coordinator asks silent members again. */
  askAgainMs: 200,
  /** Time after which an undecided operation gets an error, so that the client retries. */
  decideMs: 1_900,
  /** Time after which a log-in whose password waits gets an error: a client waits no longer (C2). */
  passwordMs: 5_000,
  /** The lifetime of a session's token. */
  sessionMs: 43_200_000,
  /** The age from which a server replaces a token that a client uses. */
  renewSessionMs: 3_600_000,
  /** Time after which a server accepts one more password attempt for an account. */
  accountAttemptMs: 5_000,
  /** Time after which a server accepts one more password attempt over a connection. */
  connectionAttemptMs: 500,
  /** Time after which a server checks one more wrong invitation. */
  invitationGuessMs: 500,
  /** The lifetime of a token that a command signs with the cluster's secret for one request. */
  operatorMs: 60_000,
  /**
   * Time between two presence reports of a client. Also the time between two messages in which a
   * server sends all its presence reports to its peers.
   */
  presenceMs: 10_000,
  /**
   * The shortest time between two messages in which a server sends new presence reports to its
   * peers.
   */
  presenceNewsMs: 200,
  /** Silence after which a client counts as offline: two lost reports are tolerated. */
  presenceSilenceMs: 30_000,
  /** Time between two clock rounds, in which the coordinator compares all clocks (Berkeley, E5). */
  clockRoundMs: 5_000,
  /** The timeout of `clock`. */
  clockAnswerMs: 1_000,
  /** The longest round trip of `clock` whose answer is exact enough to be used. */
  clockRoundTripMs: 40,
  /** Distance from the median above which a clock is left out of the average. */
  clockOutlierMs: 10_000,
  /** The largest correction of a clock: a century. */
  clockCorrectionMs: 3_155_760_000_000,
  /**
   * The timeout for fetching one page of a saved state: a page has a megabyte, and the peer's disk
   * may be busy.
   */
  snapshotPageMs: 5_000,
  /** Silence of a peer after which a server closes the saved state that the peer fetches. */
  snapshotIdleMs: 30_000,
  /**
   * Time that a server waits for the next of the events that its disk has lost. Then the server
   * ends, and says what a person can do (J5).
   */
  repairMs: 60_000,
  /** Pause in writing after which the journal writes a sync note about its last batch (J2). */
  journalIdleMs: 50,
  /** Time allowed for the last checkpoint of a stopping server (R11). */
  lastCheckpointMs: 1_000,
  /** Time after which a stopping server refuses new requests. */
  patienceMs: 250,
  /**
   * The most time, counted from the beginning of its stop, that a server waits for its open
   * requests (R11).
   */
  drainMs: 2_000,
  /**
   * The most time that a stopping server, after the end of its open requests, waits until its peers
   * have its events (R11).
   */
  settleMs: 2_000,
  /**
   * The most time, counted like `settleMs`, that a leaving server waits until the reference removes
   * it from the view (R11).
   */
  leaveMs: 9_000,
  /** Silence after which the reference removes a process from its list. */
  aliveMs: 2_000,
  /**
   * Silence after which the reference removes a guest of the original protocol from its list. Such
   * guests send heartbeats seconds apart.
   */
  originalAliveMs: 30_000,
  /**
   * Silence after which the reference forgets a process. The reference keeps the ranks of all
   * processes, and the last heartbeat of each member of the view.
   */
  forgetMs: 60_000,
  /** Time that a newly started reference waits for reports of a higher view. */
  firstViewMs: 1_200,
  /**
   * The timeout of a heartbeat to the reference. If a process reads the answer later, for example
   * after SIGSTOP, the process ignores the view in the answer: a reference that has lost its file
   * meanwhile may no longer have that view.
   */
  viewAnswerMs: 700,
  /**
   * Interval and timeout of ZMTP heartbeats, so that a hung or cut-off server leaves the rotation
   * within 2 s.
   */
  zmtpIntervalMs: 500,
  zmtpTimeoutMs: 1_500,
  /** The timeout of a connection's handshake. */
  handshakeMs: 5_000,
  /** Pause of a proxy after it has sent changes of the wanted topics to members. */
  topicNewsMs: 20,
  /** Time after which a broker stops waiting for a reply; servers answer within seconds. */
  openRequestMs: 30_000,
  /** Time between two looks at the free space of a server's disk, which changes slowly. */
  diskLookMs: 10_000,
  /** Error of a machine's clock that `status` reports: far more than with time synchronisation. */
  clockOffMs: 1_000,
  /** Time between two ticks of a core that has something open, such as a request or an election. */
  tickMs: 50,
  /** The longest time between two ticks of a core. */
  restTickMs: 250,
} as const;
