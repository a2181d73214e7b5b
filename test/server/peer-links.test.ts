import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { Responder } from "../../src/net/responder.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import type { ReplicationMessage } from "../../src/protocol/peer-messages.ts";
import { noView } from "../../src/protocol/view.ts";
import type { Input } from "../../src/server/core/effects.ts";
import { PeerLinks } from "../../src/server/peer-links.ts";
import { PeerWire } from "../../src/server/peer-wire.ts";
import { peersOf } from "../../src/server/real-surroundings.ts";
import { serverName } from "../support/event-lines.ts";
import { anyPort, Closing } from "../support/local-wires.ts";
import { member } from "../support/members.ts";
import { until } from "../support/until.ts";

const asker = serverName(1);
const asked = serverName(2);

test("[W7] a peer that announces an invalid endpoint does not end the process", async () => {
  const links = new PeerLinks(undefined as never, "");
  for (const address of ["\n{}", "tcp://[:1", "tcp://%%%", "nonsense"]) {
    expect(() => links.watch(serverName(1), address, () => {})).not.toThrow();
  }
  links.close();
});

/** A port that only counts connections. */
async function countingPort() {
  const connected: Socket[] = [];
  const server = createServer((socket) => void connected.push(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    for (const socket of connected) socket.destroy();
    server.close();
  };
  const { port } = server.address() as AddressInfo;
  return { address: `tcp://127.0.0.1:${port}`, connected, [Symbol.dispose]: close };
}

test("[S12] closed peer links open no connection, so that a stopping server ends while its peers restart", async () => {
  using first = await countingPort();
  using second = await countingPort();
  const { key, seals } = member(asker);
  const [closed, open] = [new PeerLinks(seals, key), new PeerLinks(seals, key)];
  closed.close();
  closed.watch(asked, first.address, () => {});
  // Connections are opened in order, so the second port is reached after the first one.
  open.watch(asked, second.address, () => {});
  await until(() => second.connected.length > 0, "the open links have connected");
  await new Promise((resolve) => setImmediate(resolve));
  expect(first.connected).toEqual([]);
  open.close();
});

const summary = { server: asker, clock: 7, view: noView, durable: {}, office: undefined };

test("[L3] a server that is not connected to an event's origin broadcasts the acknowledgement of the event", () => {
  const broadcast: ReplicationMessage[] = [];
  const peers = peersOf({
    bus: { broadcast: (message: ReplicationMessage) => broadcast.push(message) } as never,
    peers: { tell: (peer: ServerName) => peer === asked } as never,
    peerWire: undefined as never,
  });
  peers.acknowledge({ type: "ack", peer: asked, address: "tcp://127.0.0.1:1", summary });
  expect(broadcast).toEqual([]);
  peers.acknowledge({ type: "ack", peer: asker, address: "tcp://127.0.0.1:1", summary });
  expect(broadcast).toEqual([{ ...summary, type: "ack" }]);
});

test("[L3] a server sends a connected peer an acknowledgement over the peer link, and the peer sends no answer", async () => {
  await using closing = new Closing();
  const { clock, membership, seals } = member(asked);
  const inputs: Input[] = [];
  const answers: Uint8Array[] = [];
  const unused = () => {
    throw new Error("only an acknowledgement was sent");
  };
  const responder: Responder = closing.add(
    new Responder((envelope, payload, seal) => wire.take({ envelope, payload, seal }), {
      takesSeals: true,
    }),
  );
  const answering = { reply: (_to: unknown, payload: Uint8Array) => answers.push(payload) };
  const wire = new PeerWire({
    name: asked,
    clock,
    log: undefined as never,
    responder: answering as unknown as Responder,
    seals,
    disk: undefined as never,
    unready: unused,
    onInput: (input) => inputs.push(input),
    onGuest: unused,
    onDropped: unused,
  });
  const address = await responder.bind(anyPort, membership.forMembers());
  responder.start();
  const sender = member(asker);
  const links = new PeerLinks(sender.seals, sender.key);
  const tell = () => links.tell(asked, address, { service: "ack", ...summary });
  expect(tell()).toBe(false);
  await until(tell, "the peer is connected");
  await until(() => inputs.length > 0, "the acknowledgement has come");
  links.close();
  expect(inputs).toMatchObject([{ type: "ack", summary }]);
  expect(answers).toEqual([]);
});
