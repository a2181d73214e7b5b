import { ProtocolError } from "./errors.ts";
import { isServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { type Present, type Publication, presenceStates, type Receipt } from "./messages.ts";
import { isMap } from "./parse-message.ts";

/** @throws ProtocolError `internal` if a write's reply carries no receipt */
export function parseReceipt(value: unknown): Receipt {
  if (
    !isMap(value) ||
    !isServerName(value.server) ||
    parseClock(value.seq) === undefined ||
    parseClock(value.clock) === undefined ||
    !Array.isArray(value.durable)
  ) {
    throw new ProtocolError("internal", "The server's reply has no receipt.");
  }
  return value as unknown as Receipt;
}

/** Who is there; what is none is left out. */
export function parsePresent(value: unknown): Present[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item: unknown): item is Present => {
    const isState = (state: unknown) => state !== "gone" && presenceStates.some((s) => s === state);
    return isMap(item) && typeof item.user === "string" && isState(item.state);
  });
}

/** Publications of the second form (P2, P3); what is none is left out. */
export function parsePublications(value: unknown): Publication[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item: unknown): item is Publication => {
    return (
      isMap(item) &&
      isServerName(item.server) &&
      parseClock(item.seq) !== undefined &&
      parseClock(item.prev) !== undefined &&
      parseClock(item.clock) !== undefined &&
      typeof item.message === "string" &&
      typeof item.id === "string"
    );
  });
}
