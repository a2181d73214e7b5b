import { inNode, inPython, sendPlainly } from "../../test/cluster/plain-clients.ts";
import { python } from "../../test/support/readme-python.ts";
import { figures, none, type Workload } from "../workload.ts";

export const plainClients: Workload<"plainClients" | "disturbances"> = {
  name: "plain-clients",
  description: "README's example (in Node without pyzmq) while servers and broker end and stop",
  counts: { plainClients: 50, disturbances: 3 },
  async measure({ counts: { plainClients: clients, disturbances: rounds } }) {
    const start = python === undefined ? inNode : inPython;
    const result = await sendPlainly(start, { clients, rounds });
    const { acknowledged, refused, lost, doubled, longestMs } = result;
    return [
      ...figures("messages", { acknowledged, "longest wait ms": longestMs }),
      none("refused", refused.length),
      none("lost", lost.length),
      none("doubled", doubled.length),
    ];
  },
};
