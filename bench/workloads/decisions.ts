import type { Session } from "../../src/client/session.ts";
import { Sessions } from "../../src/net/sessions.ts";
import { parseUserName, type UserName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { secretIn } from "../../test/support/members-door.ts";
import { password } from "../chat-load.ts";
import { measure } from "../measure.ts";
import { type Figure, figures, type Workload } from "../workload.ts";

/** How many operations are open at once, and how often one begins, if not as soon as possible. */
const loads = [
  { name: "at rest", inFlight: 1, everyMs: 20 },
  { name: "1 in flight", inFlight: 1 },
  { name: "32 in flight", inFlight: 32 },
  { name: "512 in flight", inFlight: 512 },
] as const;

const warmUpSeconds = 2;

interface Administrator {
  readonly user: UserName;
  readonly session: Session;
}

/**
 * Administrators who give themselves the right that they have. So no password is hashed, and only
 * deciding is measured.
 */
export const decisions: Workload = {
  name: "decisions",
  description: "operations that the log of decisions decides, and reads as of now",
  async measure({ seconds }) {
    await using cluster = await LocalCluster.start({ auth: "required" });
    // One session has only so many undecided operations at a time (D9).
    const administrators = await enter(cluster, 512 / limits.operationsAhead);
    const decide = (_index: number, lane: number) => {
      const { user, session } = administrators[lane % administrators.length] as Administrator;
      return session.ask("account", { user, administrator: true });
    };
    const read = () =>
      administrators[0]?.session.ask("users", { limit: 1 }, { consistency: "now" });
    await measure(decide, { inFlight: 512, seconds: warmUpSeconds });
    const found: Figure[] = [];
    for (const { name, ...load } of loads) {
      found.push(...figures(`decisions, ${name}`, await measure(decide, { ...load, seconds })));
    }
    const atRest = { inFlight: 1, everyMs: 20, seconds };
    return [...found, ...figures("reads as of now, at rest", await measure(read, atRest))];
  },
};

/** Makes accounts of administrators, whose sessions share one connection. */
async function enter(cluster: LocalCluster, count: number): Promise<Administrator[]> {
  const keys = secretIn(cluster.folder).deriveKeys("token");
  const token = new Sessions(keys).giveOperator(Date.now());
  const operator = cluster.client({ proxies: [], deadlineMs: 60_000, token });
  const connection = cluster.connection({ proxies: [], deadlineMs: 60_000 });
  const entered: Administrator[] = [];
  for (let number = 0; number < count; number += 1) {
    const user = parseUserName(`person${number}`);
    let own: string | undefined;
    const onToken = (given: string) => {
      own = given;
    };
    // A server takes only so many attempts with a password over one connection (A9).
    const guest = cluster.client({ proxies: [], deadlineMs: 60_000, onToken });
    await guest.register(user, password);
    await guest.login(user, password);
    await operator.ask("account", { user, administrator: true });
    entered.push({ user, session: connection.session({ token: own }) });
  }
  return entered;
}
