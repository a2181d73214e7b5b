import { ProtocolError } from "../protocol/errors.ts";
import { parseSeen, sorted, type Vector } from "../protocol/vector.ts";

/**
 * Returns a vector as the opaque text that clients store and send back. The text stays valid at
 * every gateway and every server.
 */
export function writePosition(vector: Vector): string {
  return Buffer.from(JSON.stringify(sorted(vector))).toString("base64url");
}

/** @throws ProtocolError `bad_request` if the text was not written by `writePosition` */
export function readPosition(text: string, field: string): Vector {
  try {
    return parseSeen(JSON.parse(Buffer.from(text, "base64url").toString()), field);
  } catch {
    throw new ProtocolError(
      "bad_request",
      `\`${field}\` must be a position from an earlier reply.`,
    );
  }
}
