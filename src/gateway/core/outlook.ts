import { durations } from "../../protocol/limits.ts";
import type { StatusReply } from "../../protocol/replies.ts";
import { quorumOf } from "../../protocol/view.ts";

/** What a server's status says about the cluster's next moments. */
export interface Outlook {
  /** Why the cluster can't serve; undefined if it can. */
  readonly lack: string | undefined;
  /** For this many milliseconds no server can find that the quorum is lost. */
  readonly safeMs: number;
}

/**
 * Reads the outlook. Servers count a member as live for `peerSilenceMs` after they have heard it. So
 * of the members that were heard last, as many as a quorum has, the one that has been silent longest
 * tells how soon the quorum can be lost.
 */
export function outlookOf({ view, members }: Pick<StatusReply, "view" | "members">): Outlook {
  if (view === undefined) return { lack: undefined, safeMs: durations.peerSilenceMs };
  const voters = members.filter(({ member }) => member);
  const live = voters.filter((one) => one.live).length;
  const quorum = quorumOf(view);
  if (live < quorum) {
    const lack = `no quorum: ${live} of ${view.members.length} servers are live`;
    return { lack, safeMs: 0 };
  }
  // Servers of older versions do not report silences; then a live member counts as just heard.
  const silences = voters.map(({ live, silentMs }) => silentMs ?? (live ? 0 : Infinity));
  const [last = durations.peerSilenceMs] = silences.sort((a, b) => a - b).slice(quorum - 1);
  return { lack: undefined, safeMs: Math.max(0, durations.peerSilenceMs - last) };
}
