import { describe, expect, test } from "vitest";
import { encode } from "../../src/protocol/codec.ts";
import { PeerMessageError } from "../../src/protocol/errors.ts";
import { durations, limits } from "../../src/protocol/limits.ts";
import {
  parseCoordinationAnswer,
  parsePeerRequest,
  parseReplication,
} from "../../src/protocol/parse-peer.ts";
import { serverName } from "../support/event-lines.ts";

const summary = {
  server: serverName(1),
  clock: 7,
  view: { number: 3, members: [serverName(1), serverName(2)] },
  durable: { [serverName(1)]: 2 },
};
const epoch = { view: 3, term: 2 };

function request(service: string, fields: Readonly<Record<string, unknown>>) {
  return parsePeerRequest(encode({ service, data: { ...summary, ...fields } }));
}

function answer(service: string, fields: Readonly<Record<string, unknown>>) {
  return parseCoordinationAnswer(encode({ service, data: { ...summary, ...fields } }));
}

const noNumbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, "1", true, {}];
const noTimes = [...noNumbers, 1e300, -1e300, durations.clockCorrectionMs + 1];
const noCounts = [...noNumbers, undefined, null, -1, 0.5, 2 ** 53, 1e300];

describe("the gate between servers, for messages of elections and clocks", () => {
  test("[E2] [E5] the gate between servers accepts messages of elections and clocks within their limits", () => {
    expect(request("election", { epoch })).toEqual({
      service: "election",
      ...summary,
      office: undefined,
      epoch,
    });
    expect(request("accept", { epoch, seq: 4 })).toMatchObject({ epoch, seq: 4 });
    expect(request("clock", { round: 1, correctionMs: -0.25 })).toMatchObject({
      correctionMs: -0.25,
    });
    expect(request("clock", { round: 1 })).toMatchObject({ correctionMs: undefined });
    const timeMs = 1_767_225_600_000.5;
    expect(answer("clock", { timeMs, isCorrected: true })).toMatchObject({ timeMs });
    expect(answer("candidate", { isGranted: true, promised: epoch })).toMatchObject({
      isGranted: true,
      promised: epoch,
    });
  });

  test.each(noTimes)(
    "[E5] a time or correction outside the range of a clock is refused: %s",
    (value) => {
      expect(() => request("clock", { round: 1, correctionMs: value })).toThrow(PeerMessageError);
      expect(() => answer("clock", { timeMs: value })).toThrow(PeerMessageError);
    },
  );

  test("[E5] an answer without a time to a clock request is refused", () => {
    expect(() => answer("clock", {})).toThrow(PeerMessageError);
  });

  test.each(noCounts)("[E2] an epoch, `seq` or round of %s is refused", (value) => {
    for (const wrong of [{ ...epoch, term: value }, { ...epoch, view: value }, value]) {
      for (const service of ["election", "candidate"]) {
        expect(() => request(service, { epoch: wrong })).toThrow(PeerMessageError);
      }
      expect(() => request("accept", { epoch: wrong, seq: 1 })).toThrow(PeerMessageError);
      for (const service of ["candidate", "accept"]) {
        const verdict = { isGranted: true, promised: wrong };
        expect(() => answer(service, verdict)).toThrow(PeerMessageError);
      }
    }
    expect(() => request("accept", { epoch, seq: value })).toThrow(PeerMessageError);
    expect(() => request("clock", { round: value })).toThrow(PeerMessageError);
    expect(() => request("election", { epoch, clock: value })).toThrow(PeerMessageError);
  });

  const heartbeat = { type: "heartbeat", address: "tcp://127.0.0.1:5", phase: "live", chains: {} };
  const heard = (fields: Readonly<Record<string, unknown>>) =>
    parseReplication(encode({ ...summary, ...heartbeat, ...fields }));

  test("[L1] [E5] the values of clock synchronisation are parsed from a heartbeat, and are undefined if an older server sent the heartbeat", () => {
    const told = { offsetMs: -3.25, lastCorrectionMs: -0.5, clockRounds: 7 };
    expect(heard(told)).toMatchObject(told);
    const nothing = { offsetMs: undefined, lastCorrectionMs: undefined, clockRounds: undefined };
    expect(heard({})).toMatchObject({ type: "heartbeat", ...nothing });
  });

  test.each(["\n{}", "", "tcp://", "tcp://a b:1", "tcp://a:0", "tcp://a:70000", "http://a:1", 7])(
    "[L1] a heartbeat whose address is not an endpoint is refused: %j",
    (address) => expect(() => heard({ address })).toThrow(PeerMessageError),
  );

  test.each(["tcp://127.0.0.1:5", "tcp://[::1]:65535", "tcp://server_1.local:80", "ipc:///tmp/a"])(
    "[L1] a heartbeat with the address %s is accepted",
    (address) => expect(heard({ address })).toMatchObject({ address }),
  );

  test.each(noTimes)("[L1] [E5] an offset or correction of %s counts as missing", (value) => {
    const none = { offsetMs: undefined, lastCorrectionMs: undefined };
    expect(heard({ offsetMs: value, lastCorrectionMs: value })).toMatchObject(none);
  });

  test.each(noCounts)(
    "[L1] [E5] the number of rounds in a heartbeat counts as missing if this number is %s",
    (value) => {
      expect(heard({ clockRounds: value })).toMatchObject({ clockRounds: undefined });
    },
  );

  test.each(noCounts)("[E1] a coordinator's epoch with the term %s counts as missing", (term) => {
    const heard = { ...summary, office: { view: 3, term }, type: "ack" };
    expect(parseReplication(encode(heard)).office).toBeUndefined();
  });
});

describe("the gate between servers, for presence", () => {
  const word = { user: "ana", client: "one", state: "online", clock: 4, ageMs: 20 };
  const heard = (words: unknown) =>
    parseReplication(encode({ ...summary, type: "presence", heard: words }));

  test("[L11] the gate between servers accepts presence reports within their limits", () => {
    const words = [
      word,
      { ...word, client: "", state: "gone", clock: 0, ageMs: 0 },
      { ...word, state: "away", ageMs: durations.presenceSilenceMs },
    ];
    expect(heard(words)).toMatchObject({ ...summary, type: "presence", heard: words });
    expect(heard([])).toMatchObject({ heard: [] });
    const full = Array.from({ length: limits.presenceWords }, () => word);
    expect(heard(full)).toMatchObject({ heard: full });
    expect(() => heard([...full, word])).toThrow(PeerMessageError);
  });

  test.each([undefined, null, {}, "", 7])(
    "[L11] a presence message whose list is %o is refused",
    (words) => {
      expect(() => heard(words)).toThrow(PeerMessageError);
    },
  );

  const wrong = [
    ...noCounts.flatMap((clock) => [{ clock }, { ageMs: clock === 0.5 ? -0.5 : clock }]),
    { ageMs: durations.presenceSilenceMs + 1 },
    ...[undefined, null, "", "../x", "servers", 7].map((user) => ({ user })),
    ...[undefined, null, "", "here", "constructor", 7].map((state) => ({ state })),
    ...[7, {}, "x".repeat(limits.idCharacters + 1)].map((client) => ({ client })),
  ];

  test.each(wrong)(
    "[L11] a presence message is refused if a report in the message has the invalid field %o",
    (fields) => {
      expect(() => heard([word, { ...word, ...fields }])).toThrow(PeerMessageError);
    },
  );

  test.each([null, 7, "ana", []])(
    "[L11] a presence message is refused if a report in the message is %o",
    (value) => {
      expect(() => heard([value])).toThrow(PeerMessageError);
    },
  );
});
