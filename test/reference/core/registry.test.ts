import { describe, expect, test } from "vitest";
import type { ServerName } from "../../../src/protocol/ids.ts";
import { LamportClock } from "../../../src/protocol/lamport-clock.ts";
import { durations, limits } from "../../../src/protocol/limits.ts";
import type { Vector } from "../../../src/protocol/vector.ts";
import { noView, type View } from "../../../src/protocol/view.ts";
import { handleRequest } from "../../../src/reference/core/handle-request.ts";
import { Registry } from "../../../src/reference/core/registry.ts";
import { serverName } from "../../support/event-lines.ts";

const [a, b, c, d] = [1, 2, 3, 4].map(serverName) as [
  ServerName,
  ServerName,
  ServerName,
  ServerName,
];

const member = { isKnown: true, clock: 1 };
const guest = { isKnown: false, clock: 1 };

/** Parts of a server's report: its durable vector, and whether it is ready to serve. */
interface Disk {
  readonly durable?: Vector;
  readonly ready?: boolean;
}

/** A reference's registry and its clock, with a method by which servers report. */
class Reports {
  nowMs = 10_000;
  readonly registry: Registry;

  /**
   * Without a view, the reference has just started without its file. With a view, it has run long
   * enough to change the view.
   */
  constructor(view: View | undefined) {
    const saved = view === undefined ? undefined : { ranks: {}, view };
    const startedMs = view === undefined ? this.nowMs : this.nowMs - durations.firstViewMs;
    this.registry = new Registry(saved, startedMs);
  }

  get view(): View {
    return this.registry.view;
  }

  report(user: ServerName, view: View, { durable = {}, ready = true }: Disk = {}): void {
    this.registry.heartbeat({ user, role: "server", view, durable, ready }, member, this.nowMs);
  }

  /** Reports that each of these servers has adopted the present view, all with the same events. */
  settle(...names: ServerName[]): void {
    for (const name of names) this.report(name, this.view);
  }
}

const three: View = { number: 3, members: [a, b, c] };

describe("ranks and the list", () => {
  test("the reference always gives a name the same rank, and gives no two names the same rank", () => {
    const { registry } = new Reports(undefined);
    const ranks = [a, b, c, a, b].map((name) => registry.rank({ user: name }, member, 0));
    expect(ranks).toEqual([1, 2, 3, 1, 2]);
    const again = new Registry(registry.saved, 0);
    expect([c, d, a].map((name) => again.rank({ user: name }, member, 0))).toEqual([3, 4, 1]);
  });

  test("a request for a new rank marks the reference's registry as changed; a request for a known rank does not", () => {
    const { registry } = new Reports(undefined);
    registry.rank({ user: a }, member, 0);
    expect(registry.takeChanged()).toBe(true);
    registry.rank({ user: a }, member, 0);
    expect(registry.takeChanged()).toBe(false);
  });

  test("the reference's list has the processes that were heard in the last 2 s", () => {
    const reports = new Reports(three);
    reports.report(a, three);
    reports.nowMs += 1_900;
    reports.report(b, three);
    expect(reports.registry.list(reports.nowMs).map(({ name }) => name)).toEqual([a, b]);
    reports.nowMs += 200;
    expect(reports.registry.list(reports.nowMs).map(({ name }) => name)).toEqual([b]);
  });
});

describe("the first view", () => {
  test("the reference waits for reports, and then makes a first view with only the server of the lowest rank", () => {
    const reports = new Reports(undefined);
    reports.registry.rank({ user: b }, member, reports.nowMs);
    reports.registry.rank({ user: a }, member, reports.nowMs);
    reports.settle(a, b);
    expect(reports.view).toEqual(noView);
    expect(reports.registry.isWaiting(reports.nowMs)).toBe(true);
    reports.nowMs += 1_200;
    reports.settle(a, b);
    expect(reports.view).toEqual({ number: 1, members: [b] });
    expect(reports.registry.takeChanged()).toBe(true);
  });

  test("[R5] a reference without its file adopts the highest view that is reported", () => {
    const reports = new Reports(undefined);
    reports.report(a, { number: 2, members: [a, b] });
    reports.report(b, three);
    reports.report(c, { number: 2, members: [a, b] });
    expect(reports.view).toEqual(three);
    expect(reports.registry.takeChanged()).toBe(true);
  });

  test("[R5] a reference that has just started changes no view before servers had time to report", () => {
    const reports = new Reports(undefined);
    // The reference has lost the newest view, which is without b and which only c has adopted.
    for (const name of [a, b, d]) reports.report(name, three);
    expect(reports.view).toEqual(three);
    expect(reports.registry.leave(d, reports.nowMs)).toBe(false);
    expect(() => reports.registry.remove(c, true, reports.nowMs)).toThrow(/just started/);
    reports.nowMs += 600;
    const last: View = { number: 4, members: [a, c] };
    reports.report(c, last);
    expect(reports.view).toEqual(last);
    reports.nowMs += 600;
    reports.settle(a, c, d);
    expect(reports.view).toEqual({ number: 5, members: [a, c, d] });
  });

  test("[R5] a report of a higher view replaces the reference's view, and a report of a lower view is ignored", () => {
    const reports = new Reports({ number: 2, members: [a, b] });
    reports.report(c, three);
    reports.report(a, { number: 1, members: [a] });
    expect(reports.view).toEqual(three);
  });
});

describe("a change of the view", () => {
  test("[R5] each change of the view adds only one server", () => {
    const reports = new Reports({ number: 1, members: [a] });
    reports.settle(a, b, c);
    expect(reports.view.members).toHaveLength(2);
    expect(reports.view.number).toBe(2);
    reports.settle(a, b, c);
    reports.settle(a, b, c);
    expect(reports.view).toEqual(three);
  });

  test("[R5] rule (a): a change of the view waits until a majority of the members has adopted the present view", () => {
    const reports = new Reports(three);
    const old = { number: 2, members: [a, b] };
    reports.report(a, three);
    reports.report(b, old);
    reports.report(c, old, { ready: false });
    reports.report(d, three);
    expect(reports.view).toEqual(three);
    reports.report(b, three);
    reports.report(d, three);
    expect(reports.view).toEqual({ number: 4, members: [a, b, c, d] });
  });

  test("[R5] rule (b): the view changes only after a majority has all events that the adopters of the present view had at adoption", () => {
    const reports = new Reports(three);
    reports.report(a, three, { durable: { [a]: 5 } });
    reports.report(b, three, { durable: { [b]: 7 } });
    reports.report(d, three);
    expect(reports.view).toEqual(three);
    reports.report(a, three, { durable: { [a]: 9, [b]: 7 } });
    reports.report(d, three);
    expect(reports.view).toEqual(three);
    // The vector of a's first report counts, with 5 events of a, not a's present 9 events.
    reports.report(b, three, { durable: { [a]: 5, [b]: 7 } });
    reports.report(d, three);
    expect(reports.view.number).toBe(4);
  });

  test("[R5] a silent member does not count toward the majority, even if that member has adopted the view", () => {
    const reports = new Reports(three);
    reports.settle(a, b);
    reports.nowMs += 2_100;
    reports.settle(a, d);
    expect(reports.view).toEqual(three);
    reports.settle(b, d);
    expect(reports.view.number).toBe(4);
  });

  test("[R5] a new server is added to the view only if it is ready and has adopted the present view", () => {
    const reports = new Reports(three);
    reports.settle(a, b, c);
    reports.report(d, three, { ready: false });
    expect(reports.view).toEqual(three);
    reports.report(d, { number: 2, members: [a, b] });
    expect(reports.view).toEqual(three);
    reports.report(d, three);
    expect(reports.view.members).toContain(d);
  });

  test("a process that is not a server never becomes a member", () => {
    const reports = new Reports({ number: 1, members: [a] });
    reports.settle(a);
    reports.registry.heartbeat({ user: "broker_1", role: "broker" }, member, reports.nowMs);
    reports.settle(a);
    expect(reports.view.members).toEqual([a]);
  });
});

describe("a server that leaves the view", () => {
  test("[R11] a server may leave only when rules (a) and (b) of R5 hold for the view without that server", () => {
    const reports = new Reports(three);
    reports.settle(a, b, c);
    expect(reports.registry.leave(c, reports.nowMs)).toBe(false);
    const two = { number: 4, members: [a, b] };
    expect(reports.view).toEqual(two);
    reports.report(a, two, { durable: { [a]: 1 } });
    expect(reports.registry.leave(c, reports.nowMs)).toBe(false);
    reports.report(b, two, { durable: {} });
    expect(reports.registry.leave(c, reports.nowMs)).toBe(false);
    reports.report(b, two, { durable: { [a]: 1 } });
    expect(reports.registry.leave(c, reports.nowMs)).toBe(true);
  });

  test("[R5] a server may leave only when a majority of the remaining members is live", () => {
    const reports = new Reports(three);
    reports.settle(b);
    reports.nowMs += 2_100;
    reports.settle(a, c);
    expect(reports.registry.leave(c, reports.nowMs)).toBe(false);
    expect(reports.view).toEqual(three);
    reports.settle(b);
    expect(reports.view.members).toEqual([a, b]);
  });

  test("[R5] the last member never leaves", () => {
    const only = { number: 6, members: [a] };
    const reports = new Reports(only);
    reports.settle(a);
    expect(reports.registry.leave(a, reports.nowMs)).toBe(false);
    reports.settle(a);
    expect(reports.view).toEqual(only);
  });

  test("[R11] a server that gave up leaving and reports itself ready again stays in the view", () => {
    const reports = new Reports(three);
    reports.settle(a);
    expect(reports.registry.leave(c, reports.nowMs)).toBe(false);
    reports.nowMs += 60_000;
    // The leaving server has restarted and serves again, before the other members return.
    reports.settle(c);
    reports.settle(a, b, c);
    expect(reports.view).toEqual(three);
  });

  test("a server that is not a member may leave as soon as rules (a) and (b) of R5 hold for the view", () => {
    const reports = new Reports(three);
    expect(reports.registry.leave(d, reports.nowMs)).toBe(false);
    reports.settle(a, b);
    expect(reports.registry.leave(d, reports.nowMs)).toBe(true);
    expect(reports.view).toEqual(three);
  });
});

describe("the removal of a member", () => {
  test("the reference removes a dead member from the view on request", () => {
    const reports = new Reports(three);
    reports.settle(a, b);
    expect(reports.registry.remove(c, false, reports.nowMs)).toEqual({
      number: 4,
      members: [a, b],
    });
  });

  test("[R5] the reference refuses to remove a live member, even with --force", () => {
    const reports = new Reports(three);
    reports.settle(a, b, c);
    expect(() => reports.registry.remove(c, true, reports.nowMs)).toThrow(/alive/);
  });

  test("[R5] the reference refuses to remove the last member, even with --force", () => {
    const reports = new Reports({ number: 6, members: [a] });
    expect(() => reports.registry.remove(a, true, reports.nowMs)).toThrow(/last member/);
  });

  test("the reference refuses to remove a server that is not a member", () => {
    expect(() => new Reports(three).registry.remove(d, false, 0)).toThrow(/not a member/);
  });

  test("[R5] if no majority of the remaining members is live, the reference removes a member only with --force", () => {
    const reports = new Reports(three);
    reports.settle(a);
    expect(() => reports.registry.remove(c, false, reports.nowMs)).toThrow(/--force/);
    expect(reports.registry.remove(c, true, reports.nowMs).members).toEqual([a, b]);
  });
});

describe("a server that is still reading its journal", () => {
  test("[R5] the reference makes no new first view if a server that is still reading its journal reports a view", () => {
    const reports = new Reports(undefined);
    reports.registry.heartbeat({ user: a, role: "server", view: three }, member, reports.nowMs);
    reports.nowMs += 60_000;
    reports.report(d, noView);
    expect(reports.view).toEqual(three);
  });

  test("[R5] a server that is still reading its journal does not count as having adopted the view", () => {
    const reports = new Reports(three);
    for (const user of [a, b, c]) {
      reports.registry.heartbeat({ user, role: "server", view: three }, member, reports.nowMs);
    }
    reports.report(d, three);
    expect(reports.view).toEqual(three);
    reports.settle(a, b, c);
    expect(reports.view.members).toContain(d);
  });
});

test("[J5] the reference stops counting a server's last reported vector when the server sends a report without a vector", () => {
  const two: View = { number: 3, members: [a, b] };
  const reports = new Reports(two);
  reports.settle(a, b);
  reports.registry.heartbeat({ user: a, role: "server", view: two }, member, reports.nowMs);
  expect(reports.registry.leave(b, reports.nowMs)).toBe(false);
  expect(reports.view).toEqual(two);
  reports.settle(a);
  expect(reports.view.members).toEqual([a]);
});

describe("clocks and names of guests", () => {
  test("[W7] guests can fill only half of the reference's list, and members stay in the list", () => {
    const { registry } = new Reports(three);
    registry.heartbeat({ user: a, role: "server", view: three, durable: {} }, member, 10_000);
    const crowd = () => {
      for (let number = 0; number < 2_000; number += 1) {
        registry.heartbeat({ user: `x${number}`, role: "bot" }, guest, 10_000);
      }
    };
    expect(crowd).toThrow("processes");
    expect(registry.list(10_000)).toHaveLength(limits.processes / 2);
    registry.heartbeat({ user: a, role: "server", view: three, durable: {} }, member, 10_100);
    expect(registry.list(10_100).map(({ name }) => name)).toContain(a);
  });

  test("[W4] a request whose clock is too far ahead does not raise the reference's clock", () => {
    const clock = new LamportClock(5);
    const { registry } = new Reports(undefined);
    handleRequest(
      { service: "list", clock: 2 ** 52, member: undefined },
      { registry, clock, steadyMs: 0 },
    );
    expect(clock.value).toBe(6);
  });
});
