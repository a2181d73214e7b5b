/** Every bound of the system, with its unit and the reason for it. */

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** Characters (code points) of a user's or channel's name: fits a column of a terminal. */
  nameCharacters: 64,
  /** Characters (code points) of one message: a long paragraph, not a document. */
  messageCharacters: 4_096,
  /** Characters of a request's id: room for a UUID with a prefix. */
  idCharacters: 64,
  /** Characters of a client's own timestamp, which is only echoed. */
  timestampCharacters: 64,
  /** Bytes of one request: sixteen times what the longest message needs. */
  requestBytes: 64 * KiB,
  /** Requests in one array: keeps a batch's work under ten milliseconds. */
  batchRequests: 1_000,
  /** Bytes of one array of requests. */
  batchBytes: 1 * MiB,
  /** Values in a client's payload or in publications, keys too: as many as either needs. */
  payloadValues: 100_000,
  /** Bytes of one ZeroMQ frame: above `batchBytes`, so that its error can still be answered. */
  frameBytes: 4 * MiB,
  /** Entries in a history page. */
  historyEntries: 1_000,
  historyEntriesDefault: 100,
  /** Bytes of text in a history page or of lines in a sync answer: a page fits a frame. */
  pageBytes: 1 * MiB,
  /** Bytes that the requests of one payload may ask for: the reply fits a frame. */
  replyBytes: 3 * MiB,
  /** Newest publications that are kept of one channel (J3): a busy channel's last weeks. */
  channelMessages: 100_000,
  /** Newest private messages that are kept of one user (J3). */
  userMessages: 100_000,
  /** Newest login times that are kept of one user (J3). */
  userLogins: 100,
  /** Servers in a vector that a client sends: those whose messages it has seen. */
  vectorServers: 1_024,
  /** Servers in a vector among members: all servers that ever made an event. */
  memberVectorServers: 65_536,
  /** Ticks by which the disk is ahead of a Lamport clock, so that no crash takes it back (X1). */
  clockReserve: 100_000,
  /** The largest reserve, for a clock that has risen faster than its disk followed. */
  clockReserveMost: 100_000_000,
  /** Newest messages of a member that a receiver tells from replays: two proxies may differ by these. */
  replayWindow: 1_024,
  /** Members whose newest messages are known; above it, the longest silent member is forgotten. */
  replaySenders: 1_000,
  /** Names that the reference keeps a rank for: anybody may ask for one. */
  ranks: 65_536,
  /** Ticks that a client's clock may be ahead before it counts as 0 (W4). */
  clockAhead: 1_000_000,
  /** Ticks a second by which all clients together may raise a server's or the reference's clock. */
  clockAheadPace: 100_000,
  /** Ticks ahead that do not count there: servers in full work are behind each other by less. */
  clockLead: 1_000,
  /** Processes that the reference lists: anybody may claim to be one. */
  processes: 1_000,
  /** Characters of a password: a long sentence, and not enough to keep a hash busy. */
  passwordCharacters: 256,
  /** Characters of a session's token: it fits a name of 64 characters of any script. */
  tokenCharacters: 1_024,
  /** Characters of an invitation, which must be neither easy to guess nor a payload. */
  invitationCharactersLeast: 12,
  invitationCharacters: 128,
  /** Keys of topics that a server remembers. */
  knownTopicKeys: 10_000,
  /** Bytes that a topic's key counts for in a reply: it costs work more than space. */
  keyCostBytes: 2_048,
  /** Bytes of a member or process in `status`, generously; and guests among its processes. */
  statusRowBytes: 1_024,
  statusGuests: 100,
  /** Newest changes of a password, a flag or the registration, by which a retry is known (R6). */
  accountChanges: 16,
  /** Topics in one request for keys. */
  keysTopics: 200,
  /** Attempts with a password at once at one server, for one account; and over one connection. */
  accountAttempts: 10,
  connectionAttempts: 20,
  /** Wrong invitations at once, at one server, over all connections. */
  invitationGuesses: 20,
  /** Channels that one user may make in a cluster with accounts: more than a team has. */
  userChannels: 200,
  /** Users, connections or addresses whose pace is known; above it, the longest silent is forgotten. */
  floodBuckets: 20_000,
  /** Passwords on their way to the password thread, so that it is never idle between two. */
  hashesAtOnce: 2,
  /** Passwords that wait for the password thread: about a second of work. */
  unhashedPasswords: 40,
  /** Undecided claims that a server holds, forwarded ones too. */
  openClaims: 1_000,
  /** Terms that an epoch may be ahead of the highest known one before it is ignored (as W4). */
  termsAhead: 1_000_000,
  /** Users that a server knows to be online, and clients of each: more than a team has. */
  presentUsers: 2_000,
  presentClients: 8,
  /** Clients' reports in one presence message of a server: it fits a frame. */
  presenceWords: 1_000,
  /** Events in one answer to `sync`. */
  syncEvents: 1_000,
  /** Saved states that a server holds open for peers who fetch them. */
  openSnapshots: 4,
  /** Unanswered requests of a server; above it new ones get `unavailable`. */
  pendingRequests: 100_000,
  /** Unanswered requests of one connection at a server: as many as may arrive at once (A9). */
  connectionOpen: 5_000,
  /** So many names in `after` count as one more request there: 1,024 names take some 60 kB. */
  namesOfOneRequest: 16,
  /** Messages in a socket's send queue: seconds of full load, megabytes of memory. */
  sendQueueMessages: 100_000,
  /** Messages to a peer that libzmq queues before it drops publications. */
  highWaterMark: 100_000,
  /** Connections of one address at a bound socket: a machine's own clients all have one. */
  addressConnections: 4_096,
  /** Those in their handshake at once, and new ones a second and at once: a scan has more. */
  addressHandshakes: 256,
  addressPace: 500,
  addressBurst: 2_000,
  /** Frames of a guest's message: an envelope and a payload, with room. */
  messageFrames: 16,
  /** Unwritten bytes for one connection that does not read, and for all of a socket's. */
  unreadBytes: 16 * MiB,
  unreadBytesOfAll: 256 * MiB,
  /** Bytes of incomplete messages, over all connections of a socket. */
  heldBytesOfAll: 64 * MiB,
  /** Open requests of one connection at a broker, and their bytes; above it, reading pauses. */
  openRequests: 4_096,
  openRequestBytes: 16 * MiB,
  /** All open requests at a broker, and their bytes; above it new ones get `unavailable`. */
  openRequestsOfAll: 200_000,
  openRequestBytesOfAll: 256 * MiB,
  /** Bytes of a topic: a name of 64 characters of any script, and its two marks. */
  topicBytes: 320,
  /** Topics of one connection at a proxy. */
  connectionTopics: 10_000,
  /** All topics at a proxy, and their bytes: a new publisher is told all of them at once. */
  topics: 100_000,
  topicBytesOfAll: 8 * MiB,
  /** Changes of the wanted topics that members are told at once: a new chat has some dozens. */
  topicNews: 200,
  /** All subscriptions at a proxy: the topics of each connection, summed up. */
  subscriptions: 500_000,
  /** Lines that share one write and sync: text far below what one string may hold. */
  batchLines: 10_000,
  /** Messages in a person's outbox: more than they type before they see that none is sent (C5). */
  outboxMessages: 1_000,
  /** Bytes of an outbox file; above it, settled messages are removed. */
  outboxBytes: 256 * KiB,
  /** Bytes of a journal file; above it, the next file begins. */
  journalFileBytes: 16 * MiB,
  /** Default bytes of journal between two checkpoints (J1). */
  checkpointBytes: 64 * MiB,
  /** Bytes of journal after which a checkpoint that found no space is tried again. */
  checkpointRetryBytes: 4 * MiB,
  /** Older journal that is kept for peers that are behind, as a multiple of `checkpointBytes`. */
  journalKeptCheckpoints: 2,
} as const;

/** A broker's tag in front of a request: 8 bytes of the client's connection, 8 of the request (B1). */
export const tagBytes = 16;

/** Every duration of the protocol, in milliseconds. */
export const durations = {
  /** Between two heartbeats of a server on `replication`. */
  heartbeatMs: 500,
  /** Silence after which a peer no longer counts as live. */
  peerSilenceMs: 1_500,
  /** Silence on `replication` after which a peer is polled over its peer link (R8). */
  pollAfterMs: 1_200,
  pollMs: 200,
  /** A write without a quorum is given up after this time (R3). */
  commitMs: 2_000,
  /** A write of a client without `after` waits so much longer for all live members (R9). */
  allMembersMs: 250,
  /** A read waits so long for the vector of its client (R9). */
  coverMs: 1_000,
  /** The timeout of `sync`, and of a request to the reference. */
  peerRequestMs: 1_000,
  /** Between two heartbeats of the coordinator (E1). */
  coordinatorHeartbeatMs: 250,
  /** Silence after which the coordinator is missed. */
  coordinatorSilenceMs: 1_500,
  /** The timeout of `election`. */
  electionMs: 300,
  /** The wait for the announcement of a server of higher rank, or of one that has a promise. */
  announcementMs: 1_000,
  /** A candidate waits so long for promises and accepts, then it begins again. */
  candidacyMs: 2_000,
  /** After this time a candidate or coordinator asks members without an answer again. */
  askAgainMs: 200,
  /** All open claims are looked at again no more often. */
  claimsMs: 5,
  /** An undecided claim is given up after this time, and the client tries again. */
  claimMs: 1_900,
  /** The life of a session's token, and the age above which a used token is replaced. */
  sessionMs: 43_200_000,
  renewSessionMs: 3_600_000,
  /** One more attempt with a password is allowed after this time. */
  accountAttemptMs: 5_000,
  connectionAttemptMs: 500,
  /** One more wrong invitation is checked after this time: a server checks two a second. */
  invitationGuessMs: 500,
  /** The life of a token that a command makes of the cluster's secret for one request. */
  operatorMs: 60_000,
  /** Between two presence reports of a client, and of a server to the others. */
  presenceMs: 10_000,
  /** Between two reports of news. */
  presenceNewsMs: 200,
  /** Silence after which a client no longer counts: two reports may be lost. */
  presenceSilenceMs: 30_000,
  /** Berkeley: the coordinator compares the clocks (E5). */
  clockRoundMs: 5_000,
  /** The timeout of `clock`; an answer that took longer than the second is too inexact. */
  clockAnswerMs: 1_000,
  clockRoundTripMs: 40,
  /** A clock that is further from the median is left out of the average. */
  clockOutlierMs: 10_000,
  /** The largest correction: a century. */
  clockCorrectionMs: 3_155_760_000_000,
  /** The timeout of a page of a saved state: a megabyte, from a disk that may be busy. */
  snapshotPageMs: 5_000,
  /** A saved state that no peer asks for any more is closed after this time. */
  snapshotIdleMs: 30_000,
  /** A server that lost events waits so long for its peers to return more of them (J5). */
  repairMs: 60_000,
  /** Silence after which the journal notes that its last batch is synced (J2). */
  journalIdleMs: 50,
  /** The last checkpoint of a stopping server may take so long (R11). */
  lastCheckpointMs: 1_000,
  /** A stopping server waits so long for a moment without open requests, then refuses new ones. */
  patienceMs: 250,
  /** Then it waits for its open requests, and for its peers (R11). */
  drainMs: 2_000,
  settleMs: 2_000,
  /** A leaving server waits so long until it is out of the view (R11). */
  leaveMs: 9_000,
  /** Silence after which the reference takes a process off its list. */
  aliveMs: 2_000,
  /** The same for a guest of the original protocol, whose heartbeats are seconds apart. */
  originalAliveMs: 30_000,
  /** Silence after which the reference forgets a process that is not a member. */
  forgetMs: 60_000,
  /** A reference that has just started waits so long for reports of a higher view. */
  firstViewMs: 1_200,
  /**
   * The timeout of a heartbeat to the reference. A view that arrives later, say at a process that
   * was stopped, may be one that a reference without its file no longer has.
   */
  viewAnswerMs: 700,
  /** ZMTP heartbeats: a hung or cut-off server leaves the rotation within 2 s. */
  zmtpIntervalMs: 500,
  zmtpTimeoutMs: 1_500,
  /** The timeout of a connection's handshake. */
  handshakeMs: 5_000,
  /** Between two reports of a proxy to members about the wanted topics. */
  topicNewsMs: 20,
  /** A broker stops waiting for a reply after this time: every server has answered long before. */
  openRequestMs: 30_000,
  /** The core's own tick. */
  tickMs: 50,
} as const;
