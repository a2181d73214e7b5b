import sodium from "libsodium-wrappers";
import { describe, expect, test } from "vitest";
import type { Credentials, Door } from "../../src/zmtp/handshake.ts";
import { curve, keys, nobody, password } from "../support/bound-connection.ts";
import { Side, talk } from "../support/connection-pair.ts";
import { command } from "../support/zmtp.ts";

const none: Credentials = { mechanism: "NULL" };
const knownPassword: Credentials = { mechanism: "PLAIN", password: Buffer.from("the password") };
const otherPassword: Credentials = { mechanism: "PLAIN", password: Buffer.from("the passwort") };
const knownKey: Credentials = { mechanism: "CURVE", serverKey: keys.publicKey };
const otherKey: Credentials = {
  mechanism: "CURVE",
  serverKey: sodium.crypto_box_keypair().publicKey,
};

const ways: [string, Credentials, Door][] = [
  ["NULL", none, nobody],
  ["PLAIN", knownPassword, password],
  ["CURVE", knownKey, curve],
];

function sides(credentials: Credentials, ...doors: Door[]): [Side, Side] {
  return [new Side({ credentials }), new Side({ doors })];
}

describe("[Z8] the connecting side", () => {
  test.each(ways)(
    "the connecting side and the bound side exchange messages by %s, wherever their bytes are cut",
    (_, credentials, door) => {
      for (const pieceBytes of [1, 7, 64, 10_000]) {
        const [caller, bound] = sides(credentials, door);
        talk(caller, bound, { pieceBytes });
        expect([caller, bound].map(({ connection }) => connection.isReady)).toEqual([true, true]);
        for (const text of ["one", "two"]) {
          caller.say("", `${text} from the caller`);
          bound.say("", `${text} to the caller`, "and a seal");
        }
        talk(caller, bound, { pieceBytes });
        expect(bound.messages).toEqual([
          ["", "one from the caller"],
          ["", "two from the caller"],
        ]);
        expect(caller.messages).toEqual([
          ["", "one to the caller", "and a seal"],
          ["", "two to the caller", "and a seal"],
        ]);
      }
    },
  );

  test("the connecting side connects by each mechanism to a socket with three doors", () => {
    for (const [, credentials] of ways) {
      const [caller, bound] = sides(credentials, curve, password, nobody);
      talk(caller, bound);
      expect([caller, bound].map(({ connection }) => connection.isReady)).toEqual([true, true]);
    }
  });

  test("the connecting side knows whether the other side wants a key, or has no use for one", () => {
    const known = (credentials: Credentials, door: Door) => {
      const [caller, bound] = sides(credentials, door);
      talk(caller, bound);
      return caller.refusedBecause;
    };
    expect(known(none, curve)).toBe("keyWanted");
    expect(known(none, password)).toBe("keyWanted");
    expect(known(knownKey, nobody)).toBe("keyUnwanted");
    expect(known(knownPassword, nobody)).toBe("keyUnwanted");
    expect(known(knownPassword, curve)).toBe("keyWanted");
  });

  test("a bound side refuses another password and another key", () => {
    const [guessing, guarded] = sides(otherPassword, password);
    talk(guessing, guarded);
    expect(guarded.refusedBecause).toBe("memberWanted");
    const [lost, encrypted] = sides(otherKey, curve);
    talk(lost, encrypted);
    expect(encrypted.refusedBecause).toBe("otherKey");
    expect([guessing, lost].some(({ connection }) => connection.isReady)).toBe(false);
  });

  test("the connecting side sends no message before the other side has proved the key", () => {
    const { publicKey, privateKey: secretKey } = sodium.crypto_box_keypair();
    const caller = new Side({ credentials: knownKey });
    // A side without the secret key can't open HELLO; it invents WELCOME.
    const pretending = new Side({
      doors: [{ mechanism: "CURVE", keys: { publicKey, secretKey } }],
    });
    talk(caller, pretending);
    expect(pretending.refusedBecause).toBe("otherKey");
    caller.hear(command("WELCOME", Buffer.alloc(160, 7)));
    expect(caller.refusedBecause).toBe("otherKey");
    expect(caller.take()).toHaveLength(0);
  });

  test("the connecting side refuses a WELCOME or a READY with a changed bit in its last 40 bytes, and a changed frame", () => {
    for (const place of ["WELCOME", "READY"]) {
      for (let back = 1; back <= 40; back += 1) {
        const [one, other] = sides(knownKey, curve);
        talk(one, other, {
          change: (bytes, from) => {
            if (from === "caller" || !bytes.includes(place)) return bytes;
            const changed = Buffer.from(bytes);
            const at = changed.length - back;
            changed[at] = (changed[at] as number) ^ 1;
            return changed;
          },
        });
        expect(one.connection.isReady).toBe(false);
        expect(one.refusedBecause).toBe("otherKey");
      }
    }
    const [caller, bound] = sides(knownKey, curve);
    talk(caller, bound);
    bound.say("hello");
    const sealed = bound.take();
    sealed[sealed.length - 1] = (sealed.at(-1) as number) ^ 1;
    caller.hear(sealed);
    expect(caller.refusedBecause).toBe("malformed");
    expect(caller.messages).toEqual([]);
  });

  test("the connecting side takes a sealed frame once", () => {
    const [caller, bound] = sides(knownKey, curve);
    talk(caller, bound);
    bound.say("hello");
    const sealed = bound.take();
    caller.hear(sealed);
    caller.hear(sealed);
    expect(caller.messages).toEqual([["hello"]]);
    expect(caller.refusedBecause).toBe("malformed");
  });

  test("the connecting side refuses commands out of turn, an ERROR, and a message before READY", () => {
    const refusalAfter = (credentials: Credentials, door: Door, bytes: Buffer) => {
      const [caller, bound] = sides(credentials, door);
      caller.hear(bound.take());
      bound.hear(caller.take());
      caller.hear(Buffer.concat([bound.take().subarray(0, 53), bytes]));
      return caller.refusedBecause;
    };
    expect(refusalAfter(none, nobody, command("WELCOME"))).toBe("malformed");
    expect(refusalAfter(knownPassword, password, command("READY"))).toBe("malformed");
    expect(refusalAfter(knownPassword, password, command("ERROR", "\x02no"))).toBe("otherKey");
    expect(refusalAfter(knownKey, curve, command("READY"))).toBe("malformed");
    expect(refusalAfter(knownKey, curve, command("ERROR", "\x02no"))).toBe("otherKey");
    expect(refusalAfter(none, nobody, Buffer.from("\x00\x05hello"))).toBe("malformed");
    for (const length of [0, 15, 16, 31, 159, 161]) {
      const welcome = command("WELCOME", Buffer.alloc(length));
      expect(refusalAfter(knownKey, curve, welcome)).toBe("malformed");
    }
  });
});
