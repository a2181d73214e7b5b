import { describe, expect, test } from "vitest";
import type { PresenceState } from "../../../src/protocol/client-messages.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import { durations, limits } from "../../../src/protocol/limits.ts";
import type { ReplicationMessage } from "../../../src/protocol/peer-messages.ts";
import { Presence } from "../../../src/server/core/chat/presence.ts";
import type { Effect } from "../../../src/server/core/effects.ts";
import { PromiseChecks } from "../../support/check-promises.ts";
import { coordinator } from "../../support/coordinators.ts";
import { type CoreCluster, servingCluster } from "../../support/core-cluster.ts";
import { serverName } from "../../support/event-lines.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const { presenceMs, presenceNewsMs, presenceSilenceMs } = durations;
/** The most milliseconds that a report takes to reach all servers. */
const soonMs = presenceNewsMs + 2 * durations.tickMs;

interface Word {
  readonly user: string;
  readonly state: PresenceState;
}

type Told = ReplicationMessage & { type: "presence" };

/** Records the presence messages between servers. */
class Listener extends PromiseChecks {
  readonly told: Told[] = [];

  override onEffect(cluster: CoreCluster, server: VirtualServer, effect: Effect): void {
    super.onEffect(cluster, server, effect);
    if (effect.type !== "broadcast" || effect.message.type !== "presence") return;
    this.told.push(effect.message);
  }
}

/** Three servers, at which ana, bia and carla have logged in. */
class Scene {
  readonly cluster = servingCluster(3);
  readonly listener = new Listener();

  constructor() {
    this.cluster.request(this.server(1), "login", { user: "carla" });
    this.cluster.runUntilEqual();
    this.cluster.checks = this.listener;
  }

  server(number: number): VirtualServer {
    return this.cluster.server(number);
  }

  say(number: number, user: string, state: PresenceState) {
    return this.sayFrom(undefined, number, { user, state });
  }

  /**
   * Reports a user's state to a server, as one of the user's clients. @returns the users that the
   * server lists as present
   */
  sayFrom(client: string | undefined, number: number, word: Word) {
    const server = this.server(number);
    const reply = this.cluster.request(server, "presence", { ...word, client });
    expect(reply).toMatchObject({ status: "OK" });
    return reply.present as { user: string; state: string }[];
  }

  /** Ana's state according to a server. */
  ana(number: number): string | undefined {
    const present = this.say(number, "bia", "online");
    return present.find(({ user }) => user === "ana")?.state;
  }

  /** Ana's state according to each server. */
  anaEverywhere(): (string | undefined)[] {
    return [1, 2, 3].map((number) => this.ana(number));
  }

  partition(number: number): void {
    const { name } = this.server(number);
    const others = this.cluster.servers.filter((server) => server.name !== name);
    this.cluster.network.partition(
      [name],
      others.map((server) => server.name),
    );
  }
}

const everywhere = (state: string | undefined) => [state, state, state];

describe("[L11] presence", () => {
  test("presence reported to one server soon reaches every server, and lists are sorted by name", () => {
    const scene = new Scene();
    scene.say(1, "carla", "away");
    scene.say(2, "ana", "online");
    scene.cluster.runFor(soonMs);
    for (const number of [1, 2, 3]) {
      expect(scene.say(number, "bia", "online")).toEqual([
        { user: "ana", state: "online" },
        { user: "bia", state: "online" },
        { user: "carla", state: "away" },
      ]);
    }
  });

  test("a user's presence ends at every server thirty seconds after the last report", () => {
    const scene = new Scene();
    scene.say(1, "ana", "online");
    scene.cluster.runFor(presenceSilenceMs - 100);
    expect(scene.anaEverywhere()).toEqual(everywhere("online"));
    scene.cluster.runFor(200);
    expect(scene.anaEverywhere()).toEqual(everywhere(undefined));
  });

  test("a user's presence lasts while any server gets a report of the user every ten seconds", () => {
    const scene = new Scene();
    for (let beat = 0; beat < 12; beat += 1) {
      scene.say(1 + (beat % 3), "ana", "away");
      scene.cluster.runFor(soonMs);
      expect(scene.anaEverywhere()).toEqual(everywhere("away"));
      scene.cluster.runFor(presenceMs - soonMs);
      expect(scene.anaEverywhere()).toEqual(everywhere("away"));
    }
  });

  test("a newer presence report to any server replaces a user's older reports, and repeated older reports change nothing", () => {
    const scene = new Scene();
    scene.say(1, "ana", "online");
    scene.cluster.runFor(soonMs);
    scene.say(2, "ana", "away");
    expect(scene.ana(2)).toBe("away");
    scene.cluster.runFor(soonMs);
    expect(scene.anaEverywhere()).toEqual(everywhere("away"));
    scene.say(3, "ana", "gone");
    expect(scene.ana(3)).toBeUndefined();
    scene.cluster.runFor(soonMs);
    expect(scene.anaEverywhere()).toEqual(everywhere(undefined));
    // Servers send all reports again every ten seconds, even older ones.
    scene.cluster.runFor(presenceMs + soonMs);
    expect(scene.anaEverywhere()).toEqual(everywhere(undefined));
  });

  test("a user is online if any of their clients is online", () => {
    const scene = new Scene();
    const becomes = (number: number, state: PresenceState, client: string) => {
      scene.sayFrom(client, number, { user: "ana", state });
      scene.cluster.runFor(soonMs);
      return scene.anaEverywhere();
    };
    expect(becomes(1, "away", "desk")).toEqual(everywhere("away"));
    expect(becomes(2, "online", "phone")).toEqual(everywhere("online"));
    expect(becomes(3, "away", "desk")).toEqual(everywhere("online"));
    expect(becomes(1, "gone", "phone")).toEqual(everywhere("away"));
    expect(becomes(2, "gone", "desk")).toEqual(everywhere(undefined));
  });

  test("presence survives the death of a server because the client's next report goes to another server", () => {
    const scene = new Scene();
    scene.say(1, "ana", "online");
    scene.cluster.runFor(soonMs);
    scene.cluster.kill(scene.server(1));
    for (let beat = 0; beat < 6; beat += 1) {
      scene.cluster.runFor(presenceMs - soonMs);
      expect([scene.ana(2), scene.ana(3)]).toEqual(["online", "online"]);
      scene.say(2 + (beat % 2), "ana", "online");
      scene.cluster.runFor(soonMs);
    }
    // A server that starts again gets all reports at once, without waiting for the next ones.
    scene.cluster.start(scene.server(1));
    scene.cluster.runUntilServing();
    scene.cluster.runFor(soonMs);
    expect(scene.anaEverywhere()).toEqual(everywhere("online"));
  });

  test("presence reported during a partition reaches all servers soon after the partition heals", () => {
    const scene = new Scene();
    scene.say(1, "ana", "online");
    scene.say(1, "carla", "online");
    scene.cluster.runFor(soonMs);
    scene.partition(3);
    scene.say(1, "ana", "gone");
    scene.say(2, "carla", "away");
    // Once server 3 is out of the rotation, its clients report to other servers.
    scene.cluster.runUntil(() => !scene.server(3).inRotation, "it is out of the rotation");
    scene.cluster.network.heal();
    scene.cluster.runUntilServing();
    scene.cluster.runFor(soonMs);
    const present = scene.say(3, "bia", "online");
    expect(present).toEqual([
      { user: "bia", state: "online" },
      { user: "carla", state: "away" },
    ]);
  });

  test("a server sends a presence report again within ten seconds, so that a lost message does no lasting harm", () => {
    const scene = new Scene();
    scene.say(1, "bia", "online");
    scene.cluster.runFor(presenceMs / 2);
    scene.cluster.network.broadcastLoss = 1;
    scene.say(1, "ana", "online");
    scene.cluster.runFor(soonMs);
    scene.cluster.network.broadcastLoss = 0;
    scene.cluster.runFor(presenceMs / 2);
    expect(scene.anaEverywhere()).toEqual(everywhere("online"));
  });

  test("a server sends all presence reports of 200 ms in one message, and sends nothing if there are no reports", () => {
    const scene = new Scene();
    const { told } = scene.listener;
    scene.cluster.runFor(2 * presenceMs);
    expect(told).toEqual([]);
    scene.say(1, "carla", "online");
    const started = told.length;
    const question = (state: string, client: string) => {
      return { service: "presence", data: { user: "ana", state, client } };
    };
    const states = ["online", "away", "gone", "online"];
    for (const state of states) scene.cluster.askPayload(scene.server(1), question(state, "one"));
    const clients = Array.from({ length: 5 }, (_, number) => question("away", `${number}`));
    scene.cluster.askPayload(scene.server(1), clients);
    scene.cluster.runFor(soonMs);
    expect(told.length).toBe(started + 1);
    expect(told.at(-1)?.heard).toHaveLength(6);
    // A report is sent every ten seconds until it expires.
    scene.cluster.runFor(2 * presenceSilenceMs);
    expect(told.length).toBeLessThanOrEqual(started + 1 + presenceSilenceMs / presenceMs);
  });

  test("presence is not an event and is never written to disk", () => {
    const scene = new Scene();
    coordinator(scene.cluster);
    scene.cluster.runUntilEqual();
    const before = scene.cluster.servers.map(({ disk }) => disk.lines.length);
    const held = scene.cluster.servers.map(({ core }) => core.ledger.snapshot());
    for (const state of ["online", "away", "gone"] as const) scene.say(1, "ana", state);
    scene.cluster.runFor(presenceMs + soonMs);
    expect(scene.cluster.servers.map(({ disk }) => disk.lines.length)).toEqual(before);
    expect(scene.cluster.servers.map(({ core }) => core.ledger.snapshot())).toEqual(held);
  });

  test("a server refuses a presence report of a user who has not logged in, but first waits for logins that the client has seen", () => {
    const scene = new Scene();
    const { cluster } = scene;
    const asking = { user: "duda", state: "online" };
    const refused = { status: "erro", code: "user_not_found" };
    expect(cluster.request(scene.server(1), "presence", asking)).toMatchObject(refused);
    const { entry } = cluster.request(scene.server(1), "login", { user: "duda" });
    const { server, seq } = entry as { server: string; seq: number };
    const reply = cluster.request(scene.server(2), "presence", {
      ...asking,
      after: { [server]: seq },
    });
    expect(reply).toMatchObject({ present: [asking] });
  });

  test.each([
    { state: "here" },
    { state: undefined },
    { state: "online", client: 7 },
    { state: "online", client: "x".repeat(limits.idCharacters + 1) },
  ])("a presence report with %o is refused", (fields) => {
    const scene = new Scene();
    const reply = scene.cluster.request(scene.server(1), "presence", { user: "ana", ...fields });
    expect(reply).toMatchObject({ status: "erro", code: "bad_request" });
  });
});

describe("[L11] bounds of presence", () => {
  const user = (number: number) => `user${number}` as UserName;

  test("above the limits, a server ignores the presence of additional users, and drops the oldest report of a user with too many clients", () => {
    const presence = new Presence(serverName(1));
    let clock = 0;
    const say = (number: number, state: PresenceState, { client = "", atMs = 0 } = {}) => {
      clock += 1;
      presence.hear({ user: user(number), state, client, clock }, atMs);
    };
    for (let number = 0; number <= limits.presentUsers; number += 1) say(number, "away");
    expect(presence.list(0)).toHaveLength(limits.presentUsers);
    say(1, "online", { client: "first", atMs: 1 });
    for (let number = 1; number < limits.presentClients; number += 1) {
      say(1, "away", { client: `${number}`, atMs: 1 + number });
    }
    const stateOf = () => presence.list(10).find((one) => one.user === user(1))?.state;
    expect(stateOf()).toBe("online");
    say(1, "away", { client: "last", atMs: 10 });
    expect(stateOf()).toBe("away");
    const pages = [...presence.due(10)];
    expect(pages.map((page) => page.length)).toEqual([
      limits.presenceWords,
      limits.presenceWords,
      limits.presentClients - 1,
    ]);
    // Users whose reports have expired make room for others.
    const laterMs = 2 * presenceSilenceMs;
    say(5, "online", { atMs: laterMs });
    expect([...presence.due(laterMs)].flat()).toHaveLength(1);
    say(limits.presentUsers, "online", { atMs: laterMs });
    expect(presence.list(laterMs)).toHaveLength(2);
  });

  test("a presence report that comes late, twice or out of order neither lasts longer nor replaces a newer report", () => {
    const presence = new Presence(serverName(1));
    const word = { user: user(1), client: "", state: "online", clock: 5, ageMs: 10_000 } as const;
    presence.learn(serverName(2), [word], 0);
    presence.learn(serverName(2), [word], 15_000);
    expect(presence.list(19_999)).toHaveLength(1);
    expect(presence.list(20_000)).toEqual([]);
    presence.learn(serverName(3), [{ ...word, clock: 7, state: "away", ageMs: 0 }], 21_000);
    presence.learn(serverName(2), [{ ...word, clock: 6, ageMs: 0 }], 21_000);
    expect(presence.list(21_000)).toEqual([{ user: user(1), state: "away" }]);
    // Of two reports with equal clocks, all servers keep the same one.
    presence.learn(serverName(2), [{ ...word, clock: 7, state: "gone", ageMs: 0 }], 21_000);
    expect(presence.list(21_000)).toEqual([{ user: user(1), state: "away" }]);
    // A server sends other servers only the reports that clients made to it.
    expect([...presence.due(21_000)]).toEqual([]);
  });
});
