import { raceForReplies } from "../test/cluster/receivers.ts";

/**
 * `npm run bench:receivers [-- RESTARTS [LOGINS]]`: log-ins in flight while their broker is killed or
 * stopped, over and over, one and two brokers, plain and encrypted. Exit code 1 if any reply reached a
 * client that did not ask it.
 */
const restarts = Number(process.argv[2] ?? 20);
const logins = Number(process.argv[3] ?? 60);
const mostExamples = 5;

let wrong = 0;
for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  for (const brokers of [1, 2]) {
    for (const curve of [false, true]) {
      const result = await raceForReplies({ brokers, curve, signal, restarts, logins });
      wrong += result.wrong.length;
      process.stdout.write(
        `${signal}, ${brokers} broker${brokers > 1 ? "s" : ""}${curve ? ", encrypted" : ""}: ` +
          `${result.inFlight} log-ins in flight over ${restarts} restarts, ` +
          `${result.answered} of ${result.newcomers} newcomers answered, ` +
          `${result.wrong.length} replies at the wrong client\n`,
      );
      for (const example of result.wrong.slice(0, mostExamples)) {
        process.stdout.write(`  ${example}\n`);
      }
    }
  }
}
process.exitCode = wrong > 0 ? 1 : 0;
