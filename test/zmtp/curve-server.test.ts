import { randomBytes } from "node:crypto";
import sodium from "libsodium-wrappers";
import { describe, expect, test } from "vitest";
import { Outgoing } from "../../src/zmtp/connection.ts";
import type { Door } from "../../src/zmtp/handshake.ts";
import { about, Bound, bounds, curve, keys } from "../support/bound-connection.ts";
import {
  CurveClient,
  command,
  commandBody,
  frame,
  framesOf,
  greeting,
  message,
  metadata,
} from "../support/zmtp.ts";

describe("[X8] the handshake of CURVE", () => {
  async function welcomed(...doors: Door[]): Promise<[Bound, CurveClient]> {
    const client = await CurveClient.of(keys.publicKey);
    const bound = new Bound(doors.length > 0 ? doors : curve);
    return [bound.hear(greeting("CURVE"), client.hello()), client];
  }

  async function shaken(): Promise<[Bound, CurveClient]> {
    const [bound, client] = await welcomed();
    bound.hear(client.initiate(bound.answer("WELCOME"), about));
    expect(client.ready(bound.answer("READY"))).toEqual(metadata("ROUTER"));
    return [bound, client];
  }

  test("a client with the right key is admitted, and both sides decrypt each other's messages", async () => {
    const [bound, client] = await shaken();
    bound.hear(client.seal("", 1), client.seal("hello"));
    expect(bound.messages).toEqual([["", "hello"]]);
    const before = framesOf(bound.said).length;
    bound.connection.send(new Outgoing([Buffer.from("good"), Buffer.from("bye")]));
    const sealed = framesOf(bound.said).slice(before);
    expect(sealed.map(({ body }) => client.open(body))).toEqual([
      { flags: 1, body: Buffer.from("good") },
      { flags: 0, body: Buffer.from("bye") },
    ]);
    expect(bound.said.includes("bye")).toBe(false);
  });

  test("a server with several keys uses the key that the client knows", async () => {
    const { publicKey, privateKey } = sodium.crypto_box_keypair();
    const other: Door = { mechanism: "CURVE", keys: { publicKey, secretKey: privateKey } };
    const [bound, client] = await welcomed(other, curve);
    bound.hear(client.initiate(bound.answer("WELCOME"), about));
    expect(bound.ready).toBe(1);
  });

  test("a client that uses another server's key, or whose own key consists of zeros, is refused", async () => {
    const { publicKey } = sodium.crypto_box_keypair();
    const stranger = await CurveClient.of(publicKey);
    expect(new Bound(curve).refuses(greeting("CURVE"), stranger.hello())).toBe("otherKey");
    const client = await CurveClient.of(keys.publicKey);
    const hello = client.hello();
    hello.fill(0, hello.length - 120, hello.length - 88);
    expect(new Bound(curve).refuses(greeting("CURVE"), hello)).toBe("otherKey");
  });

  test("a HELLO with one changed bit or a missing byte is refused", async () => {
    const hello = (await CurveClient.of(keys.publicKey)).hello();
    // The padding after the version is ignored, so the loop begins after the padding.
    for (let at = hello.length - 120; at < hello.length; at += 1) {
      const changed = Buffer.from(hello);
      changed[at] = (changed[at] as number) ^ 1;
      expect(new Bound(curve).refuses(greeting("CURVE"), changed)).toBe("otherKey");
    }
    const bound = new Bound(curve);
    const short = command("HELLO", hello.subarray(8, -1));
    expect(bound.refuses(greeting("CURVE"), short)).toBe("malformed");
  });

  test("an INITIATE with a wrong cookie, a voucher for another key, or a used nonce is refused", async () => {
    const because = async (change: Parameters<CurveClient["initiate"]>[2]) => {
      const [bound, client] = await welcomed();
      const initiate = client.initiate(bound.answer("WELCOME"), about, change);
      const refused = bound.refuses(initiate);
      expect(bound.ready).toBe(0);
      return refused;
    };
    expect(await because({ cookie: randomBytes(96) })).toBe("malformed");
    expect(await because({ vouchedFor: randomBytes(32) })).toBe("otherKey");
    expect(await because({ counter: 1n })).toBe("malformed");
    expect(await because({ counter: 0n })).toBe("malformed");
  });

  test("an INITIATE that is altered, cut, or from another connection is refused", async () => {
    const [first, client] = await welcomed();
    const initiate = client.initiate(first.answer("WELCOME"), about);
    const [second] = await welcomed();
    expect(second.refuses(initiate)).toBe("malformed");
    for (let at = 11 + 96; at < initiate.length; at += 7) {
      const [bound, one] = await welcomed();
      const changed = one.initiate(bound.answer("WELCOME"), about);
      changed[at] = (changed[at] as number) ^ 1;
      expect(["otherKey", "malformed"]).toContain(bound.refuses(changed));
    }
    for (const length of [0, 95, 104, 119, 120, 200]) {
      const [bound, one] = await welcomed();
      const body = one.initiate(bound.answer("WELCOME"), about).subarray(-(initiate.length - 11));
      const cut = command("INITIATE", body.subarray(0, length));
      expect(["otherKey", "malformed"]).toContain(bound.refuses(cut));
    }
  });

  test.each(["READY", "WELCOME", "MESSAGE", "INITIATE"])(
    "the command %s out of turn is refused in a handshake of CURVE",
    async (name) => {
      const bound = new Bound(curve).hear(greeting("CURVE"));
      expect(bound.refuses(command(name, randomBytes(200)))).toBe("malformed");
      const [second, client] = await welcomed();
      if (name !== "INITIATE") expect(second.refuses(command(name, about))).toBe("malformed");
      const [third] = await welcomed();
      expect(third.refuses(client.hello())).toBe("malformed");
    },
  );

  test("an encrypted connection refuses a frame that is plain, altered, replayed, out of order or empty", async () => {
    const attempts: ((client: CurveClient) => Uint8Array[])[] = [
      () => [message("", "plain")],
      () => [command("PING", "\0\0")],
      (client) => {
        const sealed = client.seal("once");
        return [sealed, sealed];
      },
      (client) => {
        const [late, early] = [client.seal("late"), client.seal("early")];
        return [early, late];
      },
      (client) => {
        const sealed = client.seal("altered");
        sealed[sealed.length - 1] = (sealed[sealed.length - 1] as number) ^ 1;
        return [sealed];
      },
      () => [frame(commandBody("MESSAGE", Buffer.alloc(8 + 16)))],
      () => [frame(commandBody("MESSAGE"))],
    ];
    for (const attempt of attempts) {
      const [bound, client] = await shaken();
      expect(bound.refuses(...attempt(client))).toBe("malformed");
      expect(bound.messages.length).toBeLessThanOrEqual(1);
    }
  });

  test("an encrypted connection has the same limits on frames and messages as a plain connection", async () => {
    const [bound, client] = await shaken();
    bound.hear(client.seal(Buffer.alloc(bounds.frameBytes)));
    expect(bound.refuses(client.seal(Buffer.alloc(bounds.frameBytes + 1)))).toBe("tooLarge");
    const [second, other] = await shaken();
    const parts = Array.from({ length: 5 }, () => other.seal("", 1));
    expect(second.refuses(...parts)).toBe("tooLarge");
  });

  test("an encrypted PING is answered with an encrypted PONG", async () => {
    const [bound, client] = await shaken();
    const before = framesOf(bound.said).length;
    bound.hear(client.seal(commandBody("PING", "\0\0context"), 2));
    const [pong] = framesOf(bound.said).slice(before);
    expect(client.open(pong?.body as Buffer)).toEqual({
      flags: 2,
      body: commandBody("PONG", "context"),
    });
  });
});
