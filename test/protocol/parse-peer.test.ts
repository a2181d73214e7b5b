import { describe, expect, test } from "vitest";
import { encode } from "../../src/protocol/codec.ts";
import {
  PeerMessageError,
  parseOfficeAnswer,
  parsePeerRequest,
} from "../../src/protocol/parse-peer.ts";

const standing = {
  server: "server_00000001",
  clock: 1,
  view: { number: 1, members: ["server_00000001"] },
  durable: {},
};

const request = (service: string, fields: object) =>
  encode({ service, data: { ...standing, ...fields } });

describe("[E2] [E5] what no peer can mean is dropped", () => {
  test.each([
    ["no epoch", "candidate", {}],
    ["a term below zero", "candidate", { epoch: { view: 1, term: -1 } }],
    ["half a term", "candidate", { epoch: { view: 1, term: 1.5 } }],
    ["a term that can't be counted on", "candidate", { epoch: { view: 1, term: 2 ** 53 } }],
    ["a `seq` that is none", "accept", { epoch: { view: 1, term: 1 }, seq: Number.NaN }],
    ["a round that is none", "clock", { round: "one" }],
    ["a correction of no number", "clock", { round: 1, correctionMs: Number.NaN }],
    ["an endless correction", "clock", { round: 1, correctionMs: Number.POSITIVE_INFINITY }],
    ["a correction by more than a century", "clock", { round: 1, correctionMs: -4e12 }],
  ])("%s", (_, service, fields) => {
    expect(() => parsePeerRequest(request(service, fields))).toThrow(PeerMessageError);
  });

  test("nor a time that no clock shows", () => {
    const answer = (timeMs: number) => request("clock", { timeMs, isCorrected: true });
    expect(parseOfficeAnswer(answer(1e12))).toMatchObject({ timeMs: 1e12 });
    expect(() => parseOfficeAnswer(answer(1e300))).toThrow(PeerMessageError);
  });

  test("a correction within bounds is taken as it is", () => {
    const sound = request("clock", { round: 1, correctionMs: -12.5 });
    expect(parsePeerRequest(sound)).toMatchObject({ round: 1, correctionMs: -12.5 });
  });
});
