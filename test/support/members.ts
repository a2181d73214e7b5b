import { Membership } from "../../src/net/membership.ts";
import type { Seals } from "../../src/net/seal.ts";
import { memberKey } from "../../src/platform/curve.ts";
import { type Log, openLog } from "../../src/platform/log.ts";
import { type Purpose, Secret } from "../../src/platform/secret.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";

export interface Member {
  readonly clock: LamportClock;
  readonly membership: Membership;
  readonly seals: Seals;
  /** The key with which members connect to each other. */
  readonly key: string;
  /** The texts of the member's log lines. */
  readonly lines: string[];
}

/** A process with the given secret, whose clock begins at `clock`. */
export function member(
  name: string,
  {
    secret = "a secret of the cluster",
    cluster = "tertulia",
    purpose = "peer" as Purpose,
    clock: begin = 0,
  } = {},
): Member {
  const clock = new LamportClock(begin);
  const lines: string[] = [];
  const note = (_fields: unknown, text: string) => lines.push(text);
  const silent = openLog({ level: "silent", role: "test", name: () => name, clock: () => 0 });
  const log: Log = Object.assign(silent, { warn: note, info: note });
  const source = { text: secret, path: "secret", isDefault: true, cluster };
  const shared = new Secret(secret, source);
  const membership = new Membership({
    secret: shared,
    self: () => name,
    clock,
    log,
  });
  const key = memberKey(shared, undefined);
  return { clock, membership, seals: membership.seals(purpose), key, lines };
}
