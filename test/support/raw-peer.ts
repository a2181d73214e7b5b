import { connect } from "node:net";
import { encodeCommand } from "../../src/zmtp/frames.ts";
import { encodeMetadata, type SocketType } from "../../src/zmtp/metadata.ts";
import type { Closing } from "./local-wires.ts";
import { until } from "./until.ts";
import { greeting } from "./zmtp.ts";

/** A peer that is written by hand: behind its handshake it says what it likes. */
export async function rawPeer(
  closing: Closing,
  endpoint: string,
  { socketType = "DEALER" as SocketType, minor = 1 } = {},
) {
  const { hostname, port } = new URL(endpoint);
  const socket = connect(Number(port), hostname);
  closing.add({ close: () => void socket.destroy() });
  let heard = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
  });
  socket.on("error", () => {});
  socket.write(greeting("NULL", { minor }));
  socket.write(encodeCommand("READY", encodeMetadata(socketType)));
  await until(() => heard.includes("READY"), "the handshake is done");
  return { socket, heard: () => heard };
}
