import type { Session } from "../../src/client/session.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { members, password, publish, warmUp } from "../chat-load.ts";
import { measure } from "../measure.ts";
import { figures, type Values, type Workload } from "../workload.ts";

const chat = { inFlight: 8, everyMs: 5 };
/** A server takes only so many attempts of one account and over one connection (A9). */
const loginsPerAccount = 5;
const connections = 60;

export const logins: Workload<"loginsPerMinute"> = {
  name: "logins",
  description: "the chat's writes beside log-ins with a password, and without them",
  counts: { loginsPerMinute: 1_000 },
  async measure({ counts: { loginsPerMinute }, beside, seconds }) {
    await using cluster = await LocalCluster.start({ auth: "required" });
    const writers = await members(cluster, { accounts: true });
    await warmUp(writers);
    const clients = Array.from({ length: connections }, () => cluster.client({ proxies: [] }));
    const clientOf = (number: number) => clients[number % connections] as Session;
    const accounts = Math.ceil((1.25 * seconds * loginsPerMinute) / 60 / loginsPerAccount);
    const nameOf = (number: number) => parseUserName(`person${number % accounts}`);
    for (let number = 0; number < accounts; number += 1) {
      await clientOf(number).register(nameOf(number), password);
    }
    let next = 0;
    const logIn = () => {
      next += 1;
      return clientOf(next).login(nameOf(next), password);
    };
    let times: Values = {};
    const load = { inFlight: connections, everyMs: 60_000 / loginsPerMinute, seconds };
    const talk = () => publish(writers, { ...chat, seconds });
    const disturbed = async () => {
      const [talked, loggedIn] = await Promise.all([talk(), measure(logIn, load)]);
      times = loggedIn;
      return talked;
    };
    const talked = await beside("chat beside log-ins", disturbed, talk);
    return [...talked, ...figures("log-in", times)];
  },
};
