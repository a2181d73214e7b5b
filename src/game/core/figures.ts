/** What a game server has done since its start. */
export class Figures {
  /** Operations on matches that this server hosted. */
  committed = 0;
  refused = 0;
  /** Proposals, each of one operation or more. */
  rolledBack = 0;
  /** Matches that this server has taken over. */
  failovers = 0;
  /** Messages `commit` whose events this server, as a shadow, has refused. */
  forged = 0;
  /** Logs that were damaged on the disk when this server started. */
  damaged = 0;
  /** Called with the milliseconds from a proposal until both disks have it. */
  onReplicated: (ms: number) => void = () => {};
}
