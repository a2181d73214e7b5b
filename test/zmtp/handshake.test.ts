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
  /** Its greeting, which ends with the type of its socket, then its name. */
  const from = (type: number, name = "") =>
    Buffer.concat([Buffer.from("ff00000000000000017f01", "hex"), Buffer.of(type), frame(name)]);

  test("is let in where anybody is, and gets our type and an empty name", () => {
    const bound = new Bound(nobody).hear(from(3, "whatever it is called"), message("", "hello"));
    expect(bound.ready).toBe(1);
    expect(bound.messages).toEqual([["", "hello"]]);
    expect(bound.connection.identity).toBe("whatever it is called");
    expect(bound.said.subarray(11).toString("hex")).toBe("060000");
    expect(bound.connection.knowsHeartbeats).toBe(false);
  });

  test("is refused where only members may connect, or where all is encrypted", () => {
    expect(new Bound(password).refuses(from(3))).toBe("memberWanted");
    expect(new Bound(curve).refuses(from(3))).toBe("keyWanted");
  });

  test("is refused with a wrong type of socket, or a name in several frames", () => {
    expect(new Bound(nobody).refuses(from(8))).toBe("otherSocket");
    expect(new Bound(nobody).refuses(from(3).subarray(0, 12), message("a", "b"))).toBe("malformed");
    expect(new Bound(nobody).refuses(from(3).subarray(0, 12), command("READY"))).toBe("malformed");
  });
});

describe("[X8] a handshake", () => {
  const open = [greeting(), command("READY", about)];

  test("without a mechanism lets in a peer of the right type, and answers with ours", () => {
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

  test("gives the peer's name no meaning, whatever bytes it has", () => {
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

  test("with malformed metadata is refused, and no metadata breaks it", () => {
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
  ])("is refused if %s comes instead", (_name, bytes) => {
    for (const door of [nobody, password, curve]) {
      const bound = new Bound(door);
      if (door === password && _name === "HELLO") continue;
      expect(bound.refuses(greeting(door.mechanism), bytes)).toBe("malformed");
      expect(bound.messages).toEqual([]);
      expect(bound.ready).toBe(0);
    }
  });

  test("takes no command longer than a handshake's, whatever the socket's bound", () => {
    const bound = new Bound(nobody).hear(greeting());
    expect(bound.refuses(Buffer.from("060000000000000801", "hex"))).toBe("tooLarge");
  });

  test("names the mechanism to a peer that has another one", () => {
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

  test("lets in a peer with the password, under any name", () => {
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

  test("lets in guests and members where both doors exist", () => {
    const guest = new Bound([password, nobody]).hear(greeting(), command("READY", about));
    expect(guest.ready).toBe(1);
    const bound = new Bound([password, nobody]);
    expect(bound.refuses(greeting("PLAIN"), plainHello("a guess"))).toBe("memberWanted");
    const member = new Bound([password, nobody]);
    member.hear(greeting("PLAIN"), plainHello("the password"), initiate);
    expect(member.ready).toBe(1);
  });
});
