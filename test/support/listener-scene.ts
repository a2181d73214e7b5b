import { anybody, type Entrance, Listener } from "../../src/net/listener.ts";
import type { Peer } from "../../src/net/wire.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { Bounds } from "../../src/zmtp/connection.ts";
import { anyPort, type Closing } from "./local-wires.ts";
import { until } from "./until.ts";
import { RawPeer } from "./zmtp.ts";

const bounds: Bounds = {
  frameBytes: limits.frameBytes,
  frames: 16,
  messageBytes: limits.frameBytes + 1_024,
};

/** A bound ROUTER that records its peers, their messages, and the reasons of refusals. */
export class Scene {
  readonly peers = new Set<Peer>();
  readonly names: string[] = [];
  readonly messages: { from: Peer; frames: Buffer[] }[] = [];
  readonly refused: string[] = [];
  readonly #closing: Closing;
  onMessage: (peer: Peer) => void = () => {};
  endpoint = "";

  private constructor(closing: Closing) {
    this.#closing = closing;
  }

  static async open(closing: Closing, { entrance = anybody } = {}): Promise<Scene> {
    const scene = new Scene(closing);
    const listener = await Listener.bind(anyPort, {
      socketType: "ROUTER",
      peers: ["REQ", "DEALER", "SUB"],
      bounds,
      entrance: { ...entrance, onRefused: (_endpoint, why) => scene.refused.push(why) },
      onPeer: (peer) => {
        scene.peers.add(peer);
        scene.names.push(peer.name.toString("hex"));
      },
      onMessage: (from, frames) => {
        scene.messages.push({ from, frames });
        scene.onMessage(from);
      },
      onGone: (peer) => scene.peers.delete(peer),
    });
    closing.add(listener);
    scene.endpoint = listener.endpoint;
    return scene;
  }

  /**
   * Connects a peer and finishes its handshake. @returns the peer, and the listener's side of the
   * connection
   */
  async peer(manner: Parameters<typeof RawPeer.shaken>[1] = {}): Promise<[RawPeer, Peer]> {
    const before = new Set(this.peers);
    const peer = this.#closing.add(await RawPeer.shaken(this.endpoint, manner));
    await until(() => this.peers.size > before.size, "it is there");
    const [other] = [...this.peers].filter((one) => !before.has(one));
    return [peer, other as Peer];
  }
}

export const byPassword: Entrance = {
  doors: [{ mechanism: "PLAIN", password: Buffer.from("the password") }],
  onRefused: () => {},
};

/** The reason for refusing a peer that breaks a limit. */
export const hungry = "it breaks the protocol, or a bound of it";
