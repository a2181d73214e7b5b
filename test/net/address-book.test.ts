import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AddressBook, addressOf } from "../../src/net/address-book.ts";
import { limits } from "../../src/protocol/limits.ts";

const { addressBurst, addressConnections, addressHandshakes, addressPace, floodBuckets } = limits;

/**
 * Opens `count` connections from address "a" at `atMs`, and completes their handshakes.
 * @returns how many connections were admitted
 */
function connect(book: AddressBook, count: number, atMs: number): number {
  let taken = 0;
  for (let made = 0; made < count; made += 1) {
    if (!book.admit("a", atMs)) continue;
    book.shaken("a");
    taken += 1;
  }
  return taken;
}

describe("[X8] connections of one address", () => {
  test("an address may open a burst of connections at once, and after that a limited number a second", () => {
    const book = new AddressBook();
    expect(connect(book, addressBurst + 100, 5_000)).toBe(addressBurst);
    expect(connect(book, 100, 5_000)).toBe(0);
    expect(connect(book, addressPace, 5_100)).toBe(addressPace / 10);
    // After a rest, the address may open one more burst.
    for (let left = 0; left < addressBurst; left += 1) book.gone("a");
    expect(connect(book, 3 * addressBurst, 1_000_000)).toBe(addressBurst);
    // If the clock goes back, no connection is admitted.
    expect(connect(book, 1, 900_000)).toBe(0);
  });

  test("an address may have a limited number of open connections, and a connection that ends makes room", () => {
    const book = new AddressBook();
    let nowMs = 0;
    let taken = 0;
    for (; taken < addressConnections; nowMs += 1_000) taken += connect(book, addressPace, nowMs);
    expect(taken).toBe(addressConnections);
    expect(book.admit("a", nowMs + 60_000)).toBe(false);
    book.gone("a");
    expect(book.admit("a", nowMs + 60_000)).toBe(true);
  });

  test("an address is crowded while it has more connections in a handshake than the limit", () => {
    const book = new AddressBook();
    for (let made = 0; made < addressHandshakes; made += 1) expect(book.admit("a", 0)).toBe(true);
    expect(book.isCrowded("a")).toBe(false);
    expect(book.admit("a", 0)).toBe(true);
    expect([book.isCrowded("a"), book.isCrowded("b")]).toEqual([true, false]);
    book.shaken("a");
    expect(book.isCrowded("a")).toBe(false);
  });

  test("connections of one address do not use up another address's burst", () => {
    const book = new AddressBook();
    connect(book, 2 * addressBurst, 0);
    expect(book.admit("b", 0)).toBe(true);
  });

  test("an address's handshakes are still counted after many other addresses have connected", () => {
    const book = new AddressBook();
    for (let made = 0; made <= addressHandshakes; made += 1) book.admit("a", 0);
    for (let other = 0; other < 2 * floodBuckets; other += 1) {
      book.admit(`${other}`, 1);
      book.shaken(`${other}`);
      book.gone(`${other}`);
    }
    expect(book.isCrowded("a")).toBe(true);
  });

  test("in any order of events, the number of handshakes counted for an address matches a model", () => {
    const does = fc.constantFrom("admit", "shaken", "gone");
    fc.assert(
      fc.property(fc.array(fc.tuple(does, fc.nat(2)), { maxLength: 200 }), (all) => {
        const book = new AddressBook();
        const open = [0, 0, 0];
        for (const [what, who] of all) {
          if (what === "admit" && book.admit(`${who}`, 0)) open[who] = (open[who] ?? 0) + 1;
          else if (what === "gone" && (open[who] ?? 0) > 0) {
            book.shaken(`${who}`);
            book.gone(`${who}`);
            open[who] = (open[who] ?? 0) - 1;
          }
        }
        const [count = 0] = open;
        let more = 0;
        while (!book.isCrowded("0") && book.admit("0", 1e9)) more += 1;
        expect(more).toBe(addressHandshakes - count + 1);
      }),
      { numRuns: 50 },
    );
  });
});

describe("the address that a connection counts for", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["::ffff:10.1.2.3", "10.1.2.3"],
    ["::1", "0:0:0:0"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::9", "2001:db8:1:2"],
    ["2001:db8::9", "2001:db8:0:0"],
    ["2001:db8:1:2:3:4:5::", "2001:db8:1:2"],
    ["fe80::1%eth0", "fe80:0:0:0"],
    ["::", "0:0:0:0"],
    [undefined, "ipc"],
  ])("a connection from %s counts for the address %s", (remote, counted) => {
    expect(addressOf(remote)).toBe(counted);
  });

  test("a connection over IPv6 counts for its /64 network", () => {
    const group = fc.nat(0xffff).map((number) => number.toString(16));
    const eight = fc.array(group, { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(eight, eight, (one, other) => {
        const near = [...one.slice(0, 4), ...other.slice(4)];
        expect(addressOf(near.join(":"))).toBe(addressOf(one.join(":")));
        expect(addressOf(one.join(":"))).toBe(one.slice(0, 4).join(":"));
      }),
    );
  });
});
