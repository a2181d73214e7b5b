import { expect, test } from "vitest";
import { MessageFrames } from "../../src/gateway/live/message-frames.ts";
import { readPosition } from "../../src/gateway/position.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import type { Entry } from "../../src/protocol/publications.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import { serverName } from "../support/event-lines.ts";

const [a, b] = [serverName(1), serverName(2)];

function entry(server: ServerName, seq: number, message = "olá"): Entry {
  const timestamp = "2026-01-01T00:00:00.000Z";
  const place = { clock: seq, server, seq, id: `${server} ${seq}` };
  return { channel: "geral", user: "ana", message, timestamp, ...place } as unknown as Entry;
}

test("[G20] clients at the same place get the same bytes of a message, and clients at other places get their own position", () => {
  const frames = new MessageFrames();
  const at = (place: Vector) => frames.of("#geral", entry(a, 7), place);
  const first = at({ [a]: 7, [b]: 3 } as Vector);
  expect(at({ [b]: 3, [a]: 7 } as Vector)).toBe(first);
  const other = at({ [a]: 7, [b]: 4 } as Vector);
  const { position, entry: told } = JSON.parse(other.subarray(4).toString());
  expect(readPosition(position, "position")).toEqual({ [a]: 7, [b]: 4 });
  expect(told).toEqual(entry(a, 7));
});

test("[G20] an entry does not get the bytes of another entry or another conversation with the same number", () => {
  const frames = new MessageFrames();
  const place = { [a]: 7 } as Vector;
  const bytes = frames.of("#geral", entry(a, 7), place);
  expect(frames.of("#geral", entry(a, 7, "forged"), place)).not.toEqual(bytes);
  expect(frames.of("#outro", entry(a, 7), place)).not.toEqual(bytes);
  expect(frames.of("#geral", entry(b, 7), place)).not.toEqual(bytes);
  expect(frames.of("#geral", entry(a, 7), place)).toEqual(bytes);
});
