import { decode, encode } from "../../protocol/codec.ts";
import { PeerMessageError } from "../../protocol/errors.ts";
import { type Fields, fieldsOf } from "../../protocol/fields.ts";
import { parseSteps, parseTracedMatch } from "../../protocol/parse-steps.ts";
import type { RememberedMatch } from "../../protocol/steps.ts";

const service = "steps";

/** The question of a game server to another one, what that one remembers. */
export function encodeStepsQuestion(of: string): Uint8Array {
  return encode({ service, data: { of } });
}

/** @throws PeerMessageError if the payload is malformed */
export function parseStepsQuestion(payload: Uint8Array): string {
  const { of } = dataOf(payload);
  if (typeof of === "string") return of;
  throw new PeerMessageError("`of` is wrong");
}

export function encodeStepsAnswer(remembered: RememberedMatch): Uint8Array {
  return encode({ service, data: remembered });
}

/** @throws PeerMessageError if the payload is malformed */
export function parseStepsAnswer(payload: Uint8Array): RememberedMatch {
  const { match, steps } = dataOf(payload);
  return { match: parseTracedMatch(match), steps: parseSteps(steps) };
}

function dataOf(payload: Uint8Array): Fields {
  let value: unknown;
  try {
    value = decode(payload);
  } catch {
    throw new PeerMessageError("it can't be decoded");
  }
  const { service: said, data } = fieldsOf(value);
  if (said === service) return fieldsOf(data);
  throw new PeerMessageError("it asks for no steps");
}
