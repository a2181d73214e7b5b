import { inNode, inPython, sendPlainly } from "../test/cluster/plain-clients.ts";
import { python } from "../test/support/readme-python.ts";

/**
 * `npm run bench:plain-clients [-- RUNS [ROUNDS]]`: 50 plain REQ clients as README's example, in Python
 * where it has zmq and msgpack, while servers and the broker are killed and stopped. Exit code 1 if any
 * message is refused, lost or doubled.
 */
const runs = Number(process.argv[2] ?? 3);
const rounds = Number(process.argv[3] ?? 3);
const clients = 50;

for (let run = 1; run <= runs; run += 1) {
  const start = python === undefined ? inNode : inPython;
  const result = await sendPlainly(start, { clients, rounds });
  const { acknowledged, refused, lost, doubled, longestMs } = result;
  process.stdout.write(
    `run ${run}, in ${python === undefined ? "Node" : "Python"}: ${acknowledged} acknowledged, ` +
      `${lost.length} lost, ${doubled.length} doubled, ${refused.length} refused, ` +
      `longest wait ${(longestMs / 1_000).toFixed(1)} s\n`,
  );
  if (refused.length + lost.length + doubled.length > 0) process.exitCode = 1;
}
