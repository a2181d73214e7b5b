import { expect, test } from "vitest";
import { Request } from "zeromq";
import { localBroker } from "../support/local-wires.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { RawPeer } from "../support/zmtp.ts";
import { CliProcess } from "../terminal/cli-process.ts";

const called = (identity: string, endpoint: string) => RawPeer.shaken(endpoint, { identity });

test("[Z2] a broker reports a name that two connections have at the same time, and no other name", async () => {
  await using broker = await localBroker();
  const count = (clients: number) =>
    until(() => broker.connections.front === clients, `there are ${clients} clients`);
  const peers = [await called("ana", broker.front)];
  for (const name of ["bia", "", "", "ana"]) peers.push(await called(name, broker.front));
  await count(5);
  expect(broker.sharedNames).toEqual(["ana"]);
  for (const peer of peers) peer.close();
  await count(0);
  // A client that connects again after its connection ended shares its name with nobody.
  const again = await called("ana", broker.front);
  await count(1);
  again.close();
  expect(broker.sharedNames).toEqual(["ana"]);
});

test("[Z2] a broker's log warns at most once a minute of clients with the same name, and shows no control characters", async () => {
  await using folder = await temporaryFolder();
  const any = "tcp://127.0.0.1:*";
  using broker = new CliProcess([
    ...["broker", "--data", folder.path, "--front", any, "--back", any],
    ...["--reference", "tcp://127.0.0.1:1"],
  ]);
  await broker.saw('"Ready"');
  const ready = broker.stderr.split("\n").find((line) => line.includes('"Ready"'));
  const { front } = JSON.parse(ready ?? "{}") as { front: string };
  const clients = ["\u001b[2Jana", "\u001b[2Jana", "bia", "bia"].map((routingId) => {
    const socket = new Request({ linger: 0, routingId });
    socket.connect(front);
    return socket;
  });
  try {
    await broker.saw("Identity");
    // ZMTP allows names of 255 bytes; a longer name must not break the log.
    const long = [await called("x".repeat(300), front), await called("x".repeat(300), front)];
    for (const peer of long) peer.close();
    broker.child.kill("SIGTERM");
    await broker.end();
    const lines = broker.stderr.split("\n").filter((line) => line.includes("Identity"));
    expect(lines).toHaveLength(1);
    const { level, msg } = JSON.parse(lines[0] ?? "");
    expect(level).toBe("warn");
    expect(msg).toMatch(/^Two connections give the same name "(␛\[2Jana|bia)" \(Identity\): /);
  } finally {
    for (const socket of clients) socket.close();
  }
});
