import { killGateways } from "../../test/gateway/kill-gateways.ts";
import { latencyOf } from "../measure.ts";
import { figures, none, type Workload } from "../workload.ts";

/** With four gateways, each has time to start again before its next turn. */
const gateways = 4;

export const resume: Workload<"kills" | "perSecond"> = {
  name: "resume",
  description: "the gateway that holds a socket is killed again and again while messages come",
  counts: { kills: 100, perSecond: 200 },
  async measure({ counts: { kills, perSecond } }) {
    const found = await killGateways({ gateways, kills, rate: perSecond });
    return [
      ...figures("resumed at another gateway", latencyOf(found.resumeMs)),
      ...figures("messages", { said: found.said }),
      none("messages lost", found.lost),
      none("messages doubled", found.doubled),
      none("breaks told to the client", found.breaks),
    ];
  },
};
