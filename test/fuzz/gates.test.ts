import { describe, expect, test } from "vitest";
import { unwrap } from "../../src/net/envelope.ts";
import { decode, encode, formatOf } from "../../src/protocol/codec.ts";
import { PeerMessageError, ProtocolError } from "../../src/protocol/errors.ts";
import {
  parseCoordinationAnswer,
  parsePeerRequest,
  parseReplication,
  parseSnapshotPage,
  parseSyncAnswer,
} from "../../src/protocol/parse-peer.ts";
import { parseReferenceRequest } from "../../src/protocol/parse-reference.ts";
import { parsePublications } from "../../src/protocol/parse-reply.ts";
import { member } from "../support/members.ts";
import { parsedPayload } from "../support/parsed-requests.ts";
import { Mutator, type Sample } from "./mutate.ts";

const mutants = 20_000;
const server = "server_0a0a0a0a";
const summary = {
  server,
  clock: 7,
  view: { number: 2, members: [server, "server_0b0b0b0b"] },
  durable: { [server]: 12 },
  office: { view: 2, term: 3 },
};

function sampled(...values: unknown[]): Sample[] {
  return values.map((value) => {
    return { frames: [Buffer.alloc(0), Buffer.from(encode(value))], payload: 1 };
  });
}

/** Calls the gate with the payload of each mutant, as `unwrap` extracts it from the frames. */
function through(samples: readonly Sample[], gate: (payload: Buffer) => unknown): void {
  const mutator = new Mutator(1);
  for (let at = 1; at <= mutants; at += 1) {
    const { frames, kinds } = mutator.mutate(samples);
    const { payload } = unwrap([...frames]);
    try {
      gate(payload);
    } catch (error) {
      const what = `mutant ${at} (${kinds.join(", ")}): ${payload.toString("hex", 0, 200)}`;
      throw new Error(what, { cause: error });
    }
  }
  expect(Object.prototype).not.toHaveProperty("service");
}

/**
 * A gate that ignores errors of the type with which it should refuse, and throws any other error.
 */
function refusing(
  type: typeof ProtocolError | typeof PeerMessageError,
  parse: (payload: Buffer) => unknown,
) {
  return (payload: Buffer) => {
    try {
      parse(payload);
    } catch (error) {
      if (!(error instanceof type)) throw error;
    }
  };
}

describe("mutants of valid messages", { timeout: 60_000 }, () => {
  test("[T6] the fuzzer's mutants are the same for the same seed, to the byte", () => {
    const made = (seed: number) => {
      const mutator = new Mutator(seed);
      return Array.from({ length: 500 }, () => mutator.mutate(sampled(summary, [summary])));
    };
    expect(made(7)).toEqual(made(7));
    expect(made(7)).not.toEqual(made(8));
  });

  test("[W7] each mutant of a request is parsed to requests, or to errors that a server can send as replies", () => {
    const data = {
      clock: 3,
      id: "a-1",
      timestamp: "2026-01-01T00:00:00.000Z",
      after: { [server]: 2 },
    };
    const request = (service: string, fields: object) => ({
      service,
      data: { ...data, ...fields },
    });
    const samples = sampled(
      request("login", { user: "ana", password: "secret words" }),
      request("publish", { user: "ana", channel: "geral", message: "olá" }),
      request("message", { src: "ana", dst: "bia", message: "oi", token: "a.b.c" }),
      request("history", { channel: "geral", limit: 10, since: { [server]: 1 } }),
      request("search", { channel: "geral", words: 'bom "dia" -noite' }),
      request("account", { user: "ana", locked: true }),
      request("keys", { topics: ["#geral\0"] }),
      request("trace", { of: "server_0a0a0a0a/3" }),
      request("presence", { user: "ana", client: "one", state: "away" }),
      request("hook", { user: "ana", channel: "geral", name: "ci", hookToken: "t".repeat(43) }),
      request("post", { hookToken: "t".repeat(43), message: "olá" }),
      [request("users", {}), request("unhook", { hook: "0a" })],
    );
    through(samples, (payload) =>
      expect(parsedPayload(payload).requests.length).toBeGreaterThan(0),
    );
  });

  test("[L1] [L8] each mutant of a peer message is parsed or refused by the gates of a peer", () => {
    const epoch = { view: 2, term: 4 };
    const heartbeat = { address: "tcp://127.0.0.1:9", phase: "live", rate: 2, offsetMs: 0.5 };
    const heard = { user: "ana", client: "one", state: "online", clock: 4, ageMs: 20 };
    const chains = { [server]: "0".repeat(32) };
    const operation = {
      kind: "rehash",
      by: "ana",
      id: "a-1",
      since: 3,
      credential: "x",
      from: "y",
    };
    const event = { server, seq: 3, clock: 9, id: "a-1", operation: "publication" };
    const steps = [{ kind: "received", atMs: 5.25, clock: 9, peer: server, sentClock: 8 }];
    const ask = (service: string, fields: object) => ({
      service,
      data: { ...summary, ...fields },
    });
    const samples = sampled(
      { ...summary, type: "heartbeat", ...heartbeat, chains },
      { ...summary, type: "presence", heard: [heard, { ...heard, client: "", state: "gone" }] },
      { ...summary, type: "events", events: "a line\nanother" },
      ask("sync", { events: "a line", more: true }),
      ask("candidate", { epoch, isGranted: true, promised: epoch }),
      ask("forward", { operations: [operation], ends: [{ slot: 3, outcome: "done", operation }] }),
      ask("slots", { number: 2, highest: 3 }),
      ask("clock", { round: 2, timeMs: 5, correctionMs: -3 }),
      ask("steps", { of: "a-1", event, steps, offsetMs: 0.25 }),
      ask("snapshot", { file: 0, offset: 0, of: "x", size: 3, bytes: Buffer.from("abc") }),
    );
    const gates = [
      parseReplication,
      parsePeerRequest,
      parseSyncAnswer,
      parseCoordinationAnswer,
      parseSnapshotPage,
    ];
    for (const gate of gates) through(samples, refusing(PeerMessageError, gate));
  });

  test("[N1] each mutant of a request to the reference is parsed or refused by its gate", () => {
    const address = "tcp://127.0.0.1:9";
    const samples = sampled(
      { service: "rank", data: { user: server, address, clock: 4 } },
      { service: "heartbeat", data: { ...summary, user: server, role: "server", ready: true } },
      { service: "remove", data: { user: server, force: true, id: "b" } },
    );
    const gate = (payload: Buffer) => {
      let value: unknown;
      try {
        value = decode(payload, formatOf(payload));
      } catch {
        return;
      }
      parseReferenceRequest(value);
    };
    through(samples, refusing(ProtocolError, gate));
  });

  test("[P3] a client ignores a mutant of a publication unless the mutant is a whole publication", () => {
    const entry = { user: "ana", channel: "geral", message: "olá", id: "a", server, timestamp: "" };
    const publication = { ...entry, seq: 4, prev: 3, clock: 9 };
    through(sampled([publication], [publication, publication]), (payload) => {
      let value: unknown;
      try {
        value = decode(payload);
      } catch {
        return;
      }
      for (const { seq } of parsePublications(value)) expect(seq).toBeGreaterThanOrEqual(0);
    });
  });

  test("[X1d] a mutant of a sealed message is never accepted", () => {
    const sender = member(server);
    const receiver = member("server_0b0b0b0b");
    const samples = Array.from({ length: 20 }, (_, at) => {
      const payload = Buffer.from(encode({ ...summary, clock: at }));
      const seal = sender.seals.seal("server_0b0b0b0b", payload);
      return { frames: [payload, seal], payload: 0 };
    });
    const isWhole = ([payload, seal]: readonly Buffer[]) =>
      samples.some(({ frames: [first, second] }) => {
        return payload?.equals(first as Buffer) && seal?.equals(second as Buffer);
      });
    const mutator = new Mutator(1);
    for (let at = 0; at < mutants; at += 1) {
      const { frames } = mutator.mutate(samples);
      if (isWhole(frames)) continue;
      const [payload = Buffer.alloc(0), seal] = frames;
      expect(receiver.seals.takeQuestion(payload, seal)).toBeUndefined();
      expect(receiver.seals.hear("replication", payload, seal)).toBeUndefined();
    }
    expect(receiver.clock.value).toBe(0);
  });
});
