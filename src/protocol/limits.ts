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
  /** Values in a payload of a client or in publications, keys too: as many as either has use for. */
  payloadValues: 100_000,
  /** Bytes of one ZeroMQ frame: above `batchBytes`, so that its error can still be answered. */
  frameBytes: 4 * MiB,
  /** Entries in a history page. */
  historyEntries: 1_000,
  historyEntriesDefault: 100,
  /** Bytes of text in a history page or of lines in a sync answer: a page fits a frame. */
  pageBytes: 1 * MiB,
  /** Bytes of what the requests of one payload may ask for: the reply fits a frame. */
  replyBytes: 3 * MiB,
  /** Newest publications that are kept of one channel (J3): a busy channel's last weeks. */
  channelMessages: 100_000,
  /** Newest private messages that are kept of one user (J3). */
  userMessages: 100_000,
  /** Newest login times that are kept of one user (J3). */
  userLogins: 100,
  /** Servers in a vector that a client sends: those whose messages it has seen. */
  vectorServers: 1_024,
  /** Servers in a vector among members: all that ever made an event. */
  memberVectorServers: 65_536,
  /** How far ahead of a Lamport clock its disk is, so that a crash takes it back by nothing (X1). */
  clockReserve: 100_000,
  /** The same at most, of a clock that has risen faster than its disk follows. */
  clockReserveMost: 100_000_000,
  /** Newest messages of a member that a receiver tells from replays: what two proxies may be apart. */
  replayWindow: 1_024,
  /** Members whose newest messages are known; of more, the longest silent one's are forgotten. */
  replaySenders: 1_000,
  /** Names that the reference keeps a rank for: anybody may ask for one. */
  ranks: 65_536,
  /** Ticks that a client's clock may be ahead before it counts as 0 (W4). */
  clockAhead: 1_000_000,
  /** By how many of these all together may raise a server's or the reference's clock a second. */
  clockAheadPace: 100_000,
  /** What is not counted there: servers in full work are behind each other by less. */
  clockLead: 1_000,
  /** Processes that the reference lists: anybody may say that he is one. */
  processes: 1_000,
  /** Characters of a password: a long sentence, and not enough to keep a hash busy. */
  passwordCharacters: 256,
  /** A session's token: what fits a name of 64 characters of any script. */
  tokenCharacters: 1_024,
  /** An invitation is not to be guessed, nor to be a payload. */
  invitationCharactersLeast: 12,
  invitationCharacters: 128,
  /** Keys of topics that a server has at hand. */
  knownTopicKeys: 10_000,
  /** What a key of a topic counts for in a reply: it is work more than bytes. */
  keyCostBytes: 2_048,
  /** Bytes of a member or process in `status`, generously; and guests among its processes. */
  statusRowBytes: 1_024,
  statusGuests: 100,
  /** Newest changes of a password, a flag or of who may register, by which a retry is known (R6). */
  accountChanges: 16,
  /** Topics in one request for keys. */
  keysTopics: 200,
  /** Attempts with a password at once, at one server: of one account; over one connection, to register too. */
  accountAttempts: 10,
  connectionAttempts: 20,
  /** Wrong invitations at once, at one server, over all connections. */
  invitationGuesses: 20,
  /** Channels that one user may make, where accounts are: more than a team has. */
  userChannels: 200,
  /** Users, connections or addresses whose pace is known: of more, the longest silent is forgotten. */
  floodBuckets: 20_000,
  /** Passwords on their way to the thread that works on them, so that it is never idle between two. */
  hashesAtOnce: 2,
  /** Passwords that wait to be hashed or checked: about a second of it. */
  unhashedPasswords: 40,
  /** Claims that a server holds undecided, others' forwarded ones too. */
  openClaims: 1_000,
  /** Terms that an epoch may be ahead of the highest known before it is not believed (as W4). */
  termsAhead: 1_000_000,
  /** Users that a server knows to be there, and clients of each: more than a team has. */
  presentUsers: 2_000,
  presentClients: 8,
  /** Words of clients in one message of a server about who is there: it fits a frame. */
  presenceWords: 1_000,
  /** Events in one answer to `sync`. */
  syncEvents: 1_000,
  /** Saved states that a server holds open for peers who fetch them. */
  openSnapshots: 4,
  /** Requests a server holds unanswered; above it new ones get `unavailable`. */
  pendingRequests: 100_000,
  /** Requests over one connection that a server holds unanswered: as many as may come at once (A9). */
  connectionOpen: 5_000,
  /** Names in `after` that count as one request more there: a vector of 1,024 takes some 60 kB. */
  namesOfOneRequest: 16,
  /** Messages in a socket's send queue: seconds of full load, megabytes of memory. */
  sendQueueMessages: 100_000,
  /** Messages to a peer that libzmq queues before it drops publications. */
  highWaterMark: 100_000,
  /** Connections of one address at a bound socket: a machine's own clients all have one. */
  addressConnections: 4_096,
  /** Of these, in their handshake at once, and new ones a second and at once: a scan, not a team. */
  addressHandshakes: 256,
  addressPace: 500,
  addressBurst: 2_000,
  /** Frames of a guest's message: an envelope and a payload, with room. */
  messageFrames: 16,
  /** Bytes that wait for one connection that does not read, and for all of a socket's. */
  unreadBytes: 16 * MiB,
  unreadBytesOfAll: 256 * MiB,
  /** Bytes of messages that have not wholly come, of all connections of a socket. */
  heldBytesOfAll: 64 * MiB,
  /** Requests of one connection that are open at a broker, and their bytes; it reads on after. */
  openRequests: 4_096,
  openRequestBytes: 16 * MiB,
  /** All requests that are open at a broker, and their bytes; above it new ones get `unavailable`. */
  openRequestsOfAll: 200_000,
  openRequestBytesOfAll: 256 * MiB,
  /** Bytes of a topic: a name of 64 characters of any script, and what marks its kind. */
  topicBytes: 320,
  /** Topics of one connection at a proxy. */
  connectionTopics: 10_000,
  /** Of all: different topics, and their bytes, which a publisher is told at once when it comes. */
  topics: 100_000,
  topicBytesOfAll: 8 * MiB,
  /** Changes of what is wanted that members are told at once: a chat that begins has some dozens. */
  topicNews: 200,
  /** And how many connections have how many topics, summed up. */
  subscriptions: 500_000,
  /** Lines that share one write and sync: text far below what one string may hold. */
  batchLines: 10_000,
  /** Messages in a person's outbox: more than anybody types before he sees that none goes out (C5). */
  outboxMessages: 1_000,
  /** Bytes of an outbox file before what is settled is taken out of it. */
  outboxBytes: 256 * KiB,
  /** Bytes of one journal file before the next is begun. */
  journalFileBytes: 16 * MiB,
  /** Bytes of journal since the last checkpoint before the next is written, if not set (J1). */
  checkpointBytes: 64 * MiB,
  /** Bytes that the journal grows by until a checkpoint is tried again that had no space. */
  checkpointRetryBytes: 4 * MiB,
  /** Older journal that is kept for peers that are behind, in times of that. */
  journalKeptCheckpoints: 2,
} as const;

/**
 * Bytes of what a broker puts in front of a request's envelope: 8 of the client's connection, then 8
 * of the request itself (B1).
 */
export const tagBytes = 16;

/** Every duration of the protocol, in milliseconds. */
export const durations = {
  /** A server's word on `replication`: twice a second. */
  heartbeatMs: 500,
  /** Silence after which a peer no longer counts as live. */
  peerSilenceMs: 1_500,
  /** Silence on `replication` after which a peer is polled over its peer link (R8). */
  pollAfterMs: 1_200,
  pollMs: 200,
  /** A write without a quorum is given up (R3). */
  commitMs: 2_000,
  /** What a write of a client without `after` waits longer for all live members (R9). */
  allMembersMs: 250,
  /** What a read waits for the vector of its client (R9). */
  coverMs: 1_000,
  /** An answer to `sync` or a request to the reference is given up. */
  peerRequestMs: 1_000,
  /** The coordinator's word: four a second (E1). */
  coordinatorHeartbeatMs: 250,
  /** Silence after which the coordinator is missed. */
  coordinatorSilenceMs: 1_500,
  /** What an answer to `election` may take. */
  electionMs: 300,
  /** What a server waits for the announcement of one that outranks it, or that it promised to. */
  announcementMs: 1_000,
  /** What a candidate waits for promises and accepts before it begins again. */
  candidacyMs: 2_000,
  /** After which a candidate or coordinator asks again who has not answered. */
  askAgainMs: 200,
  /** All open claims are looked at again no more often. */
  claimsMs: 5,
  /** A claim that is not decided is given up: the client tries again. */
  claimMs: 1_900,
  /** A session's token; whoever uses one that is older than this gets a new one. */
  sessionMs: 43_200_000,
  renewSessionMs: 3_600_000,
  /** After which one more attempt with a password is taken. */
  accountAttemptMs: 5_000,
  connectionAttemptMs: 500,
  /** After which one more wrong invitation is judged: a server takes two a second. */
  invitationGuessMs: 500,
  /** The token that a command makes of the cluster's secret, for one request. */
  operatorMs: 60_000,
  /** A client's word that its user is there, and a server's word to the others on all it heard. */
  presenceMs: 10_000,
  /** What is new goes out as soon, but no more often. */
  presenceNewsMs: 200,
  /** Silence after which a client no longer counts: two words may be lost. */
  presenceSilenceMs: 30_000,
  /** Berkeley: the coordinator compares the clocks (E5). */
  clockRoundMs: 5_000,
  /** What an answer to `clock` may take; one that took longer than the second says too little. */
  clockAnswerMs: 1_000,
  clockRoundTripMs: 40,
  /** A clock that is further from the middle one is left out of the average. */
  clockOutlierMs: 10_000,
  /** No correction is larger: a century. */
  clockCorrectionMs: 3_155_760_000_000,
  /** A page of a saved state is given up: a megabyte, from a disk that may be busy. */
  snapshotPageMs: 5_000,
  /** A saved state that nobody asks for any more is closed. */
  snapshotIdleMs: 30_000,
  /** What a server that lost something waits for its peers to return more of it (J5). */
  repairMs: 60_000,
  /** Silence after which the journal notes that its last batch is synced (J2). */
  journalIdleMs: 50,
  /** What the last checkpoint of a stopping server may take (R11). */
  lastCheckpointMs: 1_000,
  /** What a stopping server waits for a moment with nothing open before it refuses what is new. */
  patienceMs: 250,
  /** What it waits for its open requests, then for its peers (R11). */
  drainMs: 2_000,
  settleMs: 2_000,
  /** What a leaving server waits until it is out of the view (R11). */
  leaveMs: 9_000,
  /** Silence after which the reference takes a process off its list. */
  aliveMs: 2_000,
  /** The same for a guest of the original protocol, whose heartbeats are seconds apart. */
  originalAliveMs: 30_000,
  /** Silence after which the reference forgets a process that is no member. */
  forgetMs: 60_000,
  /** What a reference that has just started waits for reports of a higher view. */
  firstViewMs: 1_200,
  /**
   * What the reference's answer to a heartbeat may take: a view that comes later, say to a process
   * that was stopped meanwhile, may no longer be that of a reference that has lost its file.
   */
  viewAnswerMs: 700,
  /** ZMTP heartbeats: a hung or cut-off server leaves the rotation within 2 s. */
  zmtpIntervalMs: 500,
  zmtpTimeoutMs: 1_500,
  /** What the handshake of a connection may take. */
  handshakeMs: 5_000,
  /** Between what a proxy tells members of the topics that are wanted by now. */
  topicNewsMs: 20,
  /** After which a broker no longer expects an answer: every server has given one long before. */
  openRequestMs: 30_000,
  /** The core's own tick. */
  tickMs: 50,
} as const;
