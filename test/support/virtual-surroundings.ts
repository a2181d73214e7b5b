import { encodeReplication } from "../../src/protocol/encode-peer.ts";
import { parseReplication } from "../../src/protocol/parse-peer.ts";
import type { Clients, ProxyBus, Surroundings } from "../../src/server/surroundings.ts";
import type { CoreCluster } from "./core-cluster.ts";
import type { Question } from "./question.ts";
import { VirtualPeers } from "./virtual-peers.ts";
import type { VirtualProcess } from "./virtual-process.ts";
import { VirtualReferenceLink } from "./virtual-reference.ts";
import type { VirtualServer } from "./virtual-server.ts";
import { VirtualSnapshots } from "./virtual-snapshots.ts";
import type { VirtualStore } from "./virtual-store.ts";

interface VirtualParts {
  readonly cluster: CoreCluster;
  readonly process: VirtualProcess;
  readonly store: VirtualStore;
}

/** The surroundings of a shell in a virtual cluster: network, disk and time are all virtual. */
export function virtualSurroundings(parts: VirtualParts): Surroundings {
  const { cluster, process, store } = parts;
  const { server } = process;
  return {
    timers: process.timers,
    store,
    snapshots: new VirtualSnapshots(parts),
    peers: new VirtualPeers(cluster, process),
    clients: clientsOf(server),
    bus: busOf(parts),
    reference: new VirtualReferenceLink(cluster, process),
    work({ check, hash }, onResult) {
      process.later(server.hashMs(hash ?? check?.password ?? ""), () => {
        const isRight = check === undefined || check.credential === hashOf(check.password);
        const credential = isRight && hash !== undefined ? hashOf(hash) : undefined;
        const result = server.hashFails ? undefined : { isRight, credential };
        process.call(() => onResult(result));
      });
    },
    log({ text }) {
      server.logged.push(text);
    },
    crash(problem) {
      server.logged.push(problem);
      cluster.kill(server);
    },
    open() {
      // Inputs may reach the shell at any time; the shell knows whether it has a core.
    },
    close(onClosed) {
      onClosed();
    },
  };
}

function clientsOf(server: VirtualServer): Clients {
  return {
    reply({ to, replies }) {
      const question = to as Question;
      question.answer(replies, question.cameByBroker && !server.inRotation);
    },
    rotate(joined) {
      server.inRotation = joined;
    },
    close(onClosed) {
      onClosed();
    },
  };
}

function busOf({ cluster, process }: VirtualParts): ProxyBus {
  const { network, servers, topics } = cluster;
  const { server } = process;
  return {
    topics,
    broadcast(message) {
      const came = network.carry(message, encodeReplication, parseReplication);
      for (const peer of servers) {
        if (peer === server) continue;
        network.send({ wire: "broadcast", from: server.name, to: peer.name }, () => {
          peer.deliver({ type: "replication", message: came() });
        });
      }
    },
    publish({ topic, payload }) {
      server.published.push({ topic, payload });
    },
  };
}

/** The credential of a password, as events store it. */
export function hashOf(password: string): string {
  return `hash of ${password}`;
}
