import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Door } from "../../src/zmtp/handshake.ts";
import { about, Bound, curve, nobody, password } from "../support/bound-connection.ts";
import {
  command,
  frame,
  greeting,
  message,
  metadata,
  plainHello,
  property,
  restOf,
} from "../support/zmtp.ts";

describe("a peer of ZMTP 2.0", () => {
  /**
   * A greeting of ZMTP 2.0, which ends with the type of the peer's socket, followed by the peer's
   * name.
   */
  const from = (type: number, name = "") =>
    Buffer.concat([Buffer.from("ff00000000000000017f01", "hex"), Buffer.of(type), frame(name)]);

  test("a peer of ZMTP 2.0 is admitted at a door for guests, and receives the socket's type and an empty name", () => {
    const bound = new Bound(nobody).hear(from(3, "whatever it is called"), message("", "hello"));
    expect(bound.ready).toBe(1);
    expect(bound.messages).toEqual([["", "hello"]]);
    expect(bound.connection.identity).toBe("whatever it is called");
    expect(bound.said.subarray(11).toString("hex")).toBe("060000");
    expect(bound.connection.knowsHeartbeats).toBe(false);
  });

  test("a peer of ZMTP 2.0 is refused at a door for members and at an encrypted door", () => {
    expect(new Bound(password).refuses(from(3))).toBe("memberWanted");
    expect(new Bound(curve).refuses(from(3))).toBe("keyWanted");
  });

  test("a peer of ZMTP 2.0 is refused if its socket has a wrong type or if the frame with its name is invalid", () => {
    expect(new Bound(nobody).refuses(from(8))).toBe("otherSocket");
    expect(new Bound(nobody).refuses(from(3).subarray(0, 12), message("a", "b"))).toBe("malformed");
    expect(new Bound(nobody).refuses(from(3).subarray(0, 12), command("READY"))).toBe("malformed");
  });
});

describe("[X8] a handshake", () => {
  const open = [greeting(), command("READY", about)];

  test("a handshake of NULL admits a peer of the right socket type, and sends this peer the type of the bound socket", () => {
    const bound = new Bound(nobody).hear(...open);
    expect(bound.ready).toBe(1);
    expect(bound.said.subarray(0, 64)).toEqual(greeting("NULL"));
    expect(bound.answer("READY")).toEqual(metadata("ROUTER"));
    expect(bound.hear(message("", "hello")).messages).toEqual([["", "hello"]]);
  });

  test("a handshake has the same result wherever its bytes are cut", () => {
    const bytes = Buffer.concat([...open, message("", "hello"), message("x")]);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const bound = new Bound(nobody).hear(bytes.subarray(0, cut)).hear(bytes.subarray(cut));
      expect(bound.messages).toEqual([["", "hello"], ["x"]]);
    }
    const slow = new Bound(nobody);
    for (const byte of bytes) slow.hear(Buffer.of(byte));
    expect(slow.messages).toEqual([["", "hello"], ["x"]]);
  });

  test("a handshake accepts any bytes as the peer's name", () => {
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
    ["no metadata", Buffer.alloc(0)],
    ["the type in lower case", metadata("dealer")],
  ])(
    "a handshake whose READY has %s is refused because of the peer's socket type",
    (_name, rest) => {
      expect(new Bound(nobody).refuses(greeting(), command("READY", rest))).toBe("otherSocket");
    },
  );

  test("a handshake with malformed metadata is refused, and random metadata causes no error other than a refusal", () => {
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
    ["a command that does not belong to a handshake", command("PING", "\0\0")],
    ["HELLO", plainHello("the password")],
    ["SUBSCRIBE", command("SUBSCRIBE", "topic")],
    ["ERROR", command("ERROR", "\u0003no!")],
    ["a command without a name", frame("", 4)],
  ])("a handshake is refused if %s arrives directly after the greeting", (_name, bytes) => {
    for (const door of [nobody, password, curve]) {
      const bound = new Bound(door);
      if (door === password && _name === "HELLO") continue;
      expect(bound.refuses(greeting(door.mechanism), bytes)).toBe("malformed");
      expect(bound.messages).toEqual([]);
      expect(bound.ready).toBe(0);
    }
  });

  test("a handshake refuses a command longer than 2,048 bytes, whatever the socket's limit", () => {
    const bound = new Bound(nobody).hear(greeting());
    expect(bound.refuses(Buffer.from("060000000000000801", "hex"))).toBe("tooLarge");
  });

  test("a peer with another mechanism than the door's is refused, and receives the name of the door's mechanism", () => {
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

  test("a peer with the password of a PLAIN door is admitted under any name", () => {
    const bound = new Bound(password).hear(greeting("PLAIN"), plainHello("the password", "any"));
    expect(bound.answer("WELCOME")).toHaveLength(0);
    expect(bound.hear(initiate).ready).toBe(1);
    expect(bound.answer("READY")).toEqual(metadata("ROUTER"));
  });

  test("a peer with any of the passwords is admitted, and no other peer", () => {
    const doors: Door[] = ["the password", "another password"].map((text) => {
      return { mechanism: "PLAIN", password: Buffer.from(text) };
    });
    for (const text of ["the password", "another password"]) {
      const bound = new Bound(doors).hear(greeting("PLAIN"), plainHello(text));
      expect(bound.hear(initiate).ready).toBe(1);
    }
    const refused = new Bound(doors).refuses(greeting("PLAIN"), plainHello("a third password"));
    expect(refused).toBe("memberWanted");
  });

  test.each(["", "the passwort", "the password ", "the passwor", "\0".repeat(255)])(
    "a peer with the password %j is refused at a PLAIN door",
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
    ["a HELLO with a byte too many", [command("HELLO", "\u0006member\u000cthe password!")]],
    ["an empty HELLO", [command("HELLO")]],
  ])("a handshake of PLAIN with %s is refused", (_name, commands) => {
    const bound = new Bound(password);
    expect(bound.refuses(greeting("PLAIN"), ...commands)).toBe("malformed");
    expect(bound.ready).toBe(0);
  });

  test("a socket with a door for guests and a door for members admits guests and members", () => {
    const guest = new Bound([password, nobody]).hear(greeting(), command("READY", about));
    expect(guest.ready).toBe(1);
    const bound = new Bound([password, nobody]);
    expect(bound.refuses(greeting("PLAIN"), plainHello("a guess"))).toBe("memberWanted");
    const member = new Bound([password, nobody]);
    member.hear(greeting("PLAIN"), plainHello("the password"), initiate);
    expect(member.ready).toBe(1);
  });
});
