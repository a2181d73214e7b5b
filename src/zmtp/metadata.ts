import { Refused } from "./refused.ts";

/** The types of this side's sockets, and of the peers' sockets that may connect to them. */
export type SocketType = "REQ" | "REP" | "DEALER" | "ROUTER" | "PUB" | "SUB" | "XPUB" | "XSUB";

/** Returns the metadata of this side's socket (ZMTP 3.1, RFC 37, "The READY command"). */
export function encodeMetadata(socketType: SocketType): Buffer {
  return Buffer.concat([property("Socket-Type", socketType), property("Identity", "")]);
}

function property(name: string, value: string): Buffer {
  const bytes = Buffer.alloc(1 + name.length + 4 + value.length);
  bytes[0] = name.length;
  bytes.write(name, 1, "latin1");
  bytes.writeUInt32BE(value.length, 1 + name.length);
  bytes.write(value, 5 + name.length, "latin1");
  return bytes;
}

export interface Metadata {
  readonly socketType: string;
  /**
   * The name that the peer gives itself, one character per byte. No decision depends on it (Z2).
   */
  readonly identity: string;
}

/**
 * Reads a peer's metadata.
 * @throws Refused if it is malformed
 */
export function readMetadata(metadata: Buffer): Metadata {
  let socketType = "";
  let identity = "";
  for (let at = 0; at < metadata.length; ) {
    const nameEnd = at + 1 + (metadata[at] as number);
    const valueStart = nameEnd + 4;
    if (nameEnd === at + 1 || valueStart > metadata.length) throw malformed();
    const valueEnd = valueStart + metadata.readUInt32BE(nameEnd);
    if (valueEnd > metadata.length) throw malformed();
    const name = metadata.toString("latin1", at + 1, nameEnd).toLowerCase();
    const value = metadata.toString("latin1", valueStart, valueEnd);
    if (name === "socket-type") socketType = value;
    if (name === "identity") identity = value;
    at = valueEnd;
  }
  return { socketType, identity };
}

function malformed(): Refused {
  return new Refused("malformed", "a property without its end");
}
