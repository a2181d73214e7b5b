import { expect } from "vitest";
import type { Incoming, ParsedRequest, Refused } from "../../src/protocol/client-messages.ts";
import { encode } from "../../src/protocol/codec.ts";
import { type Payload, parsePayload } from "../../src/protocol/parse-message.ts";
import { services } from "../../src/server/core/services.ts";

/** A payload as a server reads it. */
export function parsedPayload(bytes: Uint8Array): Payload {
  return parsePayload(bytes, services);
}

export function only(payload: Uint8Array): Incoming {
  const { batch, requests } = parsedPayload(payload);
  expect(batch).toBe(false);
  expect(requests).toHaveLength(1);
  return requests[0] as Incoming;
}

export function accepted(service: string, data: unknown): ParsedRequest {
  const request = only(encode({ service, data }));
  if ("refused" in request) throw new Error(`refused: ${request.refused.description}`);
  return request;
}

export function refused(payload: Uint8Array): Refused {
  const request = only(payload);
  if (!("refused" in request)) throw new Error("it was accepted");
  return request;
}

export function refusal(service: string, data: unknown): Refused["refused"] {
  return refused(encode({ service, data })).refused;
}
