import { randomBytes, timingSafeEqual } from "node:crypto";
import fc from "fast-check";
import sodium from "libsodium-wrappers";
import { beforeAll, describe, expect, test } from "vitest";
import { Connection, type ConnectionOptions, Outgoing } from "../../src/zmtp/connection.ts";
import type { Door } from "../../src/zmtp/handshake.ts";
import { Refused, type RefusedBecause } from "../../src/zmtp/refused.ts";
import {
  CurveClient,
  command,
  commandBody,
  frame,
  framesOf,
  greeting,
  message,
  metadata,
  plainHello,
  property,
  restOf,
} from "../support/zmtp.ts";

const nobody: Door = { mechanism: "NULL" };
const password: Door = { mechanism: "PLAIN", password: Buffer.from("the password") };
let keys: { publicKey: Uint8Array; secretKey: Uint8Array };
let curve: Door;

beforeAll(async () => {
  await sodium.ready;
  const { publicKey, privateKey } = sodium.crypto_box_keypair();
  keys = { publicKey, secretKey: privateKey };
  curve = { mechanism: "CURVE", keys };
});

const isEqual = (one: Uint8Array, other: Uint8Array) =>
  one.length === other.length && timingSafeEqual(one, other);

/** The bound side of a connection, and what it has said and heard. */
class Bound {
  readonly messages: string[][] = [];
  readonly connection: Connection;
  ready = 0;
  #said = Buffer.alloc(0);

  constructor(doors: Door | Door[], change: Partial<ConnectionOptions> = {}) {
    this.connection = new Connection(
      { ...options, ...change, doors: [doors].flat() },
      {
        write: (bytes) => {
          this.#said = Buffer.concat([this.#said, bytes]);
        },
        onReady: () => {
          this.ready += 1;
        },
        onMessage: (frames) => this.messages.push(frames.map((one) => one.toString("latin1"))),
      },
    );
    this.connection.start();
  }

  get said(): Buffer {
    return this.#said;
  }

  hear(...bytes: Uint8Array[]): this {
    this.connection.receive(Buffer.concat(bytes));
    return this;
  }

  /** Why it refuses these bytes. */
  refuses(...bytes: Uint8Array[]): RefusedBecause | undefined {
    try {
      this.hear(...bytes);
    } catch (error) {
      if (error instanceof Refused) return error.because;
      throw error;
    }
    return undefined;
  }

  answer(name: string): Buffer {
    return restOf(this.said, name) ?? expect.fail(`no ${name}`);
  }
}

const bounds = { frameBytes: 1_000, frames: 4, messageBytes: 1_500 };
const options: Omit<ConnectionOptions, "doors"> = {
  socketType: "ROUTER",
  peers: ["REQ", "DEALER"],
  bounds,
  random: randomBytes,
  isEqual,
};
const about = metadata("DEALER");

describe("a peer of ZMTP 2.0", () => {
  /** Its greeting, which ends with the type of its socket, and its name. */
  const from = (type: number, name = "") =>
    Buffer.concat([Buffer.from("ff00000000000000017f01", "hex"), Buffer.of(type), frame(name)]);

  test("is taken where anybody is, and told our type and that we have no name", () => {
    const bound = new Bound(nobody).hear(from(3, "whatever it is called"), message("", "hello"));
    expect(bound.ready).toBe(1);
    expect(bound.messages).toEqual([["", "hello"]]);
    expect(bound.connection.identity).toBe("whatever it is called");
    expect(bound.said.subarray(11).toString("hex")).toBe("060000");
    expect(bound.connection.knowsHeartbeats).toBe(false);
  });

  test("is refused where members alone connect, or where all is encrypted", () => {
    expect(new Bound(password).refuses(from(3))).toBe("memberWanted");
    expect(new Bound(curve).refuses(from(3))).toBe("keyWanted");
  });

  test("is refused with a socket that has nothing to say here, or a name in several frames", () => {
    expect(new Bound(nobody).refuses(from(8))).toBe("otherSocket");
    expect(new Bound(nobody).refuses(from(3).subarray(0, 12), message("a", "b"))).toBe("malformed");
    expect(new Bound(nobody).refuses(from(3).subarray(0, 12), command("READY"))).toBe("malformed");
  });
});

describe("[X8] a handshake", () => {
  const open = [greeting(), command("READY", about)];

  test("without a mechanism takes a peer of the right type, and answers with its own", () => {
    const bound = new Bound(nobody).hear(...open);
    expect(bound.ready).toBe(1);
    expect(bound.said.subarray(0, 64)).toEqual(greeting("NULL"));
    expect(bound.answer("READY")).toEqual(metadata("ROUTER"));
    expect(bound.hear(message("", "hello")).messages).toEqual([["", "hello"]]);
  });

  test("is the same wherever its bytes are cut", () => {
    const bytes = Buffer.concat([...open, message("", "hello"), message("x")]);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const bound = new Bound(nobody).hear(bytes.subarray(0, cut)).hear(bytes.subarray(cut));
      expect(bound.messages).toEqual([["", "hello"], ["x"]]);
    }
    const slow = new Bound(nobody);
    for (const byte of bytes) slow.hear(Buffer.of(byte));
    expect(slow.messages).toEqual([["", "hello"], ["x"]]);
  });

  test("gives a name of the peer's no meaning, whatever bytes it has", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (identity) => {
        const bound = new Bound(nobody);
        bound.hear(greeting(), command("READY", metadata("DEALER", identity)));
        expect(bound.ready).toBe(1);
        expect(Buffer.from(bound.connection.identity, "latin1")).toEqual(Buffer.from(identity));
        expect(bound.answer("READY")).toEqual(metadata("ROUTER"));
      }),
    );
  });

  test.each([
    ["another type", metadata("PULL")],
    ["no type", property("Identity", "me")],
    ["nothing", Buffer.alloc(0)],
    ["a type in other letters", metadata("dealer")],
  ])("with %s is refused for that", (_name, rest) => {
    expect(new Bound(nobody).refuses(greeting(), command("READY", rest))).toBe("otherSocket");
  });

  test("with malformed metadata is refused, and any metadata never breaks it", () => {
    for (const rest of [
      about.subarray(0, -1),
      Buffer.concat([about, Buffer.of(3)]),
      Buffer.concat([Buffer.of(0, 0, 0, 0, 0), about]),
      Buffer.concat([Buffer.of(11), Buffer.from("Socket-Type"), Buffer.from("ffffffff", "hex")]),
    ]) {
      const bound = new Bound(nobody);
      expect(bound.refuses(greeting(), command("READY", rest))).toMatch(/malformed|otherSocket/);
      expect(bound.ready).toBe(0);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
        new Bound(nobody).refuses(greeting(), command("READY", rest));
      }),
    );
  });

  test.each([
    ["a message", message("", "early")],
    ["a command that is none of the handshake's", command("PING", "\0\0")],
    ["HELLO", plainHello("the password")],
    ["SUBSCRIBE", command("SUBSCRIBE", "topic")],
    ["ERROR", command("ERROR", "\u0003no!")],
    ["a command without a name", frame("", 4)],
  ])("is refused where %s stands in its place", (_name, bytes) => {
    for (const door of [nobody, password, curve]) {
      const bound = new Bound(door);
      if (door === password && _name === "HELLO") continue;
      expect(bound.refuses(greeting(door.mechanism), bytes)).toBe("malformed");
      expect(bound.messages).toEqual([]);
      expect(bound.ready).toBe(0);
    }
  });

  test("takes no command longer than one of a handshake's, whatever the socket's bound", () => {
    const bound = new Bound(nobody).hear(greeting());
    expect(bound.refuses(Buffer.from("060000000000000801", "hex"))).toBe("tooLarge");
  });

  test("says which mechanism is wanted to a peer with another one", () => {
    const refusal = (door: Door, mechanism: string) => {
      const bound = new Bound(door);
      const because = bound.refuses(greeting(mechanism));
      return [because, bound.said.toString("latin1", 12, 17)];
    };
    expect(refusal(password, "NULL")).toEqual(["memberWanted", "PLAIN"]);
    expect(refusal(curve, "NULL")).toEqual(["keyWanted", "CURVE"]);
    expect(refusal(curve, "PLAIN")).toEqual(["keyWanted", "CURVE"]);
    expect(refusal(nobody, "CURVE")[0]).toBe("memberWanted");
    expect(refusal(nobody, "GSSAPI")[1]).toMatch(/^NULL/);
  });
});

describe("[X8] the handshake of PLAIN", () => {
  const initiate = command("INITIATE", about);

  test("takes whoever says the password, in whatever name", () => {
    const bound = new Bound(password).hear(greeting("PLAIN"), plainHello("the password", "any"));
    expect(bound.answer("WELCOME")).toHaveLength(0);
    expect(bound.hear(initiate).ready).toBe(1);
    expect(bound.answer("READY")).toEqual(metadata("ROUTER"));
  });

  test.each(["", "the passwort", "the password ", "the passwor", "\0".repeat(255)])(
    "refuses the password %j",
    (text) => {
      const bound = new Bound(password);
      expect(bound.refuses(greeting("PLAIN"), plainHello(text))).toBe("memberWanted");
      expect(restOf(bound.said, "WELCOME")).toBeUndefined();
    },
  );

  test.each([
    ["INITIATE first", [initiate]],
    ["READY", [command("READY", about)]],
    ["HELLO twice", [plainHello("the password"), plainHello("the password")]],
    ["a HELLO cut short", [command("HELLO", "\u0006member\u000cthe passwor")]],
    ["a HELLO with more behind", [command("HELLO", "\u0006member\u000cthe password!")]],
    ["an empty HELLO", [command("HELLO")]],
  ])("refuses %s", (_name, commands) => {
    const bound = new Bound(password);
    expect(bound.refuses(greeting("PLAIN"), ...commands)).toBe("malformed");
    expect(bound.ready).toBe(0);
  });

  test("lets guests in beside members where both doors are there, each by its own way", () => {
    const guest = new Bound([password, nobody]).hear(greeting(), command("READY", about));
    expect(guest.ready).toBe(1);
    const bound = new Bound([password, nobody]);
    expect(bound.refuses(greeting("PLAIN"), plainHello("a guess"))).toBe("memberWanted");
    const member = new Bound([password, nobody]);
    member.hear(greeting("PLAIN"), plainHello("the password"), initiate);
    expect(member.ready).toBe(1);
  });
});

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

  test("takes a client that knows the key, and both open what the other seals", async () => {
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

  test("tells one of several keys from the other", async () => {
    const { publicKey, privateKey } = sodium.crypto_box_keypair();
    const other: Door = { mechanism: "CURVE", keys: { publicKey, secretKey: privateKey } };
    const [bound, client] = await welcomed(other, curve);
    bound.hear(client.initiate(bound.answer("WELCOME"), about));
    expect(bound.ready).toBe(1);
  });

  test("refuses a client that knows another key, and one with a key of zeros", async () => {
    const { publicKey } = sodium.crypto_box_keypair();
    const stranger = await CurveClient.of(publicKey);
    expect(new Bound(curve).refuses(greeting("CURVE"), stranger.hello())).toBe("otherKey");
    const client = await CurveClient.of(keys.publicKey);
    const hello = client.hello();
    hello.fill(0, hello.length - 120, hello.length - 88);
    expect(new Bound(curve).refuses(greeting("CURVE"), hello)).toBe("otherKey");
  });

  test("refuses each HELLO in which one bit is another", async () => {
    const hello = (await CurveClient.of(keys.publicKey)).hello();
    // Behind the version's padding, which means nothing.
    for (let at = hello.length - 120; at < hello.length; at += 1) {
      const changed = Buffer.from(hello);
      changed[at] = (changed[at] as number) ^ 1;
      expect(new Bound(curve).refuses(greeting("CURVE"), changed)).toBe("otherKey");
    }
    const bound = new Bound(curve);
    const short = command("HELLO", hello.subarray(8, -1));
    expect(bound.refuses(greeting("CURVE"), short)).toBe("malformed");
  });

  test("refuses another cookie, a voucher for another key, and a nonce that was used", async () => {
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

  test("refuses each INITIATE that was altered, cut, or is another connection's", async () => {
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

  test.each(["READY", "WELCOME", "MESSAGE", "INITIATE"])("refuses %s out of turn", async (name) => {
    const bound = new Bound(curve).hear(greeting("CURVE"));
    expect(bound.refuses(command(name, randomBytes(200)))).toBe("malformed");
    const [second, client] = await welcomed();
    if (name !== "INITIATE") expect(second.refuses(command(name, about))).toBe("malformed");
    const [third] = await welcomed();
    expect(third.refuses(client.hello())).toBe("malformed");
  });

  test("lets no frame through that is plain, altered, replayed, late or empty", async () => {
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

  test("bounds what is in a box as what is in none", async () => {
    const [bound, client] = await shaken();
    bound.hear(client.seal(Buffer.alloc(bounds.frameBytes)));
    expect(bound.refuses(client.seal(Buffer.alloc(bounds.frameBytes + 1)))).toBe("tooLarge");
    const [second, other] = await shaken();
    const parts = Array.from({ length: 5 }, () => other.seal("", 1));
    expect(second.refuses(...parts)).toBe("tooLarge");
  });

  test("answers a PING in a box by a PONG in a box", async () => {
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

describe("a connection whose handshake is good", () => {
  function ready(change: Partial<ConnectionOptions> = {}): Bound {
    return new Bound(nobody, change).hear(greeting(), command("READY", about));
  }

  test("refuses a message of more frames than the bound, before its end comes", () => {
    const bound = ready();
    bound.hear(message("", "", "", ""));
    expect(
      bound.refuses(frame("", 1), frame("", 1), frame("", 1), frame("", 1), frame("", 1)),
    ).toBe("tooLarge");
    expect(bound.messages).toHaveLength(1);
    expect(ready().refuses(Buffer.alloc(2_000_000, Buffer.of(1, 0)))).toBe("tooLarge");
  });

  test("refuses a frame by its length, and a message by the sum of its frames", () => {
    expect(ready().refuses(Buffer.from("0200000000000003e9", "hex"))).toBe("tooLarge");
    const bound = ready();
    bound.hear(frame(Buffer.alloc(800), 1));
    expect(bound.refuses(frame(Buffer.alloc(701)))).toBe("tooLarge");
    // Each message has the whole bound.
    const other = ready();
    for (let count = 0; count < 10; count += 1)
      other.hear(message(Buffer.alloc(800), Buffer.alloc(700)));
    expect(other.messages).toHaveLength(10);
  });

  test("keeps of an unfinished message what it takes, not all that came with it", () => {
    const bound = ready();
    const ping = command("PING", "\0\0");
    const noise = Buffer.alloc(7_000 * ping.length, ping);
    for (let count = 0; count < 3; count += 1) bound.hear(noise, frame("x", 1));
    expect(bound.connection.heldBytes).toBe(3);
    expect(bound.hear(frame("y")).messages).toEqual([["x", "x", "x", "y"]]);
    expect(bound.connection.heldBytes).toBe(0);
  });

  test("answers a PING with its context, of 16 bytes at most", () => {
    const pongOf = (rest: string) => {
      const bound = ready().hear(command("PING", rest));
      return bound.answer("PONG").toString("latin1");
    };
    expect(pongOf("\0\0")).toBe("");
    expect(pongOf("\0\0sixteen bytes ok")).toBe("sixteen bytes ok");
    expect(pongOf(`\0\0${"x".repeat(700)}`)).toBe("x".repeat(16));
    expect(pongOf("")).toBe("");
    expect(pongOf("\0")).toBe("");
  });

  test("gives commands that it does not know, and PONG, no meaning", () => {
    const bound = ready();
    const before = bound.said.length;
    for (const name of ["PONG", "JOIN", "LEAVE", "READY", "HELLO", "n".repeat(255)]) {
      bound.hear(command(name, "whatever"));
    }
    expect(bound.said).toHaveLength(before);
    expect(bound.hear(message("goes on")).messages).toEqual([["goes on"]]);
    expect(bound.refuses(frame("", 4))).toBe("malformed");
  });

  test("takes a subscription as a command for a message only where there are subscriptions", () => {
    const said = [command("SUBSCRIBE", "topic"), command("CANCEL", "topic"), message("x")];
    expect(ready().hear(...said).messages).toEqual([["x"]]);
    const bound = ready({ socketType: "XPUB" });
    expect(bound.hear(...said).messages).toEqual([["\u0001topic"], ["\u0000topic"], ["x"]]);
  });

  test("knows heartbeats of a peer that speaks 3.1, and of none that speaks 3.0", () => {
    const knows = (minor: number) => {
      const bound = new Bound(nobody).hear(greeting("NULL", { minor }));
      expect(bound.connection.knowsHeartbeats).toBe(false);
      return bound.hear(command("READY", about)).connection.knowsHeartbeats;
    };
    expect([0, 1, 2].map(knows)).toEqual([false, true, true]);
  });
});

describe("[X8] any bytes", () => {
  test("are a conversation or are refused, and break nothing", () => {
    const valid = Buffer.concat([
      greeting(),
      command("READY", about),
      message("", "hello"),
      command("PING", "\0\0x"),
      message("a", "b", "c"),
    ]);
    const flips = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(flips, fc.uint8Array({ maxLength: 80 }), fc.nat(200), (changes, more, at) => {
        const bytes = Buffer.concat([valid.subarray(0, at), more, valid.subarray(at)]);
        for (const [place, value] of changes) bytes[place] = value;
        const bound = new Bound(nobody);
        bound.refuses(bytes);
        expect(bound.said.length).toBeLessThan(64 + 200 + 10 * bytes.length);
        for (const frames of bound.messages) expect(frames.length).toBeLessThanOrEqual(4);
      }),
      { numRuns: 500 },
    );
  });
});
