import { encode } from "./codec.ts";
import type {
  CoordinationAnswer,
  PeerRequest,
  ReplicationMessage,
  SyncAnswer,
} from "./peer-messages.ts";

export function encodeReplication(message: ReplicationMessage): Uint8Array {
  if (message.type !== "events") return encode(message);
  const { lines, ...rest } = message;
  return encode({ ...rest, events: writeLines(lines) });
}

export function encodePeerMessage({
  service,
  ...data
}: PeerRequest | CoordinationAnswer): Uint8Array {
  return encode({ service, data });
}

export function encodeSyncAnswer({ lines, ...rest }: SyncAnswer): Uint8Array {
  return encode({ service: "sync", data: { ...rest, events: writeLines(lines) } });
}

/** Joins event lines into one string, because encoding an array of strings takes much longer. */
function writeLines(lines: readonly string[]): string {
  return lines.join("\n");
}
