import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diagramOf } from "../../src/client/core/trace/diagram.ts";
import type { Trace } from "../../src/protocol/steps.ts";
import { until } from "../support/until.ts";
import { CliProcess, clusterVariables, type Ended } from "../terminal/cli-process.ts";
import { FirstRound, kindsAt, stepsAt, traced } from "./first-round.ts";
import { faultMs, MatchScene } from "./match-scene.ts";

let scene: MatchScene;

beforeAll(async () => {
  scene = await MatchScene.start();
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose](), 30_000);

describe("a trace of two game servers", { timeout: 90_000 }, () => {
  test("[O68] [Q30] a play at the shadow's game server has its steps at both, in the order of their clocks, whichever of them is asked", async () => {
    using round = await FirstRound.begin(scene);
    const { host, shadow, match } = round;
    expect(await round.play(shadow, "shadow-play")).toBeUndefined();
    const trace = await traced(host.endpoint, "shadow-play");
    expect(await traced(shadow.endpoint, "shadow-play")).toEqual(trace);
    const operation = `${shadow.player.user}/shadow-play`;
    expect(trace).toMatchObject({ event: undefined, match: { match, operation }, silent: [] });
    expect(trace.servers.map(({ name }) => name)).toEqual([shadow.name, host.name]);
    expect(kindsAt(trace, shadow.name)).toEqual([
      ...["asked", "forwarded", "prepared", "checked", "copied", "synced", "acknowledged"],
      ...["learned", "replied"],
    ]);
    const hosted = kindsAt(trace, host.name);
    expect(hosted.filter((kind) => kind !== "synced")).toEqual([
      ...["taken", "proposed", "agreed", "made", "heard", "told"],
    ]);
    expect(hosted.indexOf("synced")).toBeGreaterThan(hosted.indexOf("made"));
    expect(hosted.indexOf("synced")).toBeLessThan(hosted.indexOf("told"));
    const { arrows, points } = diagramOf(trace);
    for (const { from, to } of arrows) {
      if (from?.clock === undefined || to.clock === undefined) continue;
      expect(from.clock).toBeLessThan(to.clock);
    }
    expect(arrows.map(({ from, to }) => `${from?.kind} → ${to.kind}`).sort()).toEqual([
      ...["acknowledged → heard", "agreed → checked", "checked → made", "forwarded → taken"],
      ...["made → copied", "prepared → agreed", "proposed → prepared", "requested → asked"],
      "told → learned",
    ]);
    expect(points.at(-1)?.kind).toBe("replied");
  });

  test("[O68] a play that the rules refuse has the reason at the host and at the player's game server, and no proposal", async () => {
    using round = await FirstRound.begin(scene);
    const { host, shadow } = round;
    expect(await round.play(shadow, "allowed")).toBeUndefined();
    expect(await round.play(shadow, "refused")).toBe("already_played");
    const trace = await traced(shadow.endpoint, `${round.match}/refused`);
    const reason = "already_played";
    expect(stepsAt(trace, shadow.name)).toMatchObject([
      { kind: "asked" },
      { kind: "forwarded", peer: host.name },
      { kind: "learned", peer: host.name, reason },
      { kind: "replied", reason },
    ]);
    expect(stepsAt(trace, host.name)).toMatchObject([
      { kind: "taken", peer: shadow.name },
      { kind: "told", peer: shadow.name, reason },
    ]);
  });

  test("[O68] a proposal that the shadow does not take within 5 s is rolled back, and its trace says so", async () => {
    using round = await FirstRound.begin(scene);
    const { host, shadow } = round;
    const stopped = scene.cluster.of("game").find(({ ready }) => ready?.name === shadow.name);
    const play = () => round.play(host, "in-vain");
    stopped?.signal("SIGSTOP");
    // Without a quorum nobody decides that the host goes on alone.
    const hanging = scene.cluster.withoutQuorum();
    try {
      // The first wait of the player ends before the host gives the proposal up, the second with it.
      expect([await play(), await play()]).toEqual(["unavailable", "unavailable"]);
    } finally {
      hanging[Symbol.dispose]();
      stopped?.signal("SIGCONT");
    }
    let trace: Trace | undefined;
    const isPrepared = async () => {
      trace = await traced(host.endpoint, "in-vain").catch(() => undefined);
      return trace !== undefined && kindsAt(trace, shadow.name).includes("prepared");
    };
    await until(isPrepared, "the shadow has read the proposal, too late", faultMs);
    const hosted = stepsAt(trace as Trace, host.name);
    const [rolledBack, ...more] = hosted.filter(({ kind }) => kind === "rolledBack");
    expect(rolledBack).toMatchObject({ peer: shadow.name });
    expect(rolledBack?.reason).toBeUndefined();
    expect(more).toEqual([]);
    const kinds = hosted.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "proposed")).toHaveLength(1);
    expect(kinds).not.toContain("made");
    expect(hosted.at(-1)).toMatchObject({ kind: "replied", reason: "unavailable" });
    for (const kind of ["checked", "copied"] as const) {
      expect(kindsAt(trace as Trace, shadow.name)).not.toContain(kind);
    }
  });

  test("[Q30] a trace names the game servers that do not answer, and has the steps of the others", async () => {
    using round = await FirstRound.begin(scene);
    const { host, shadow, match } = round;
    const stopped = scene.cluster.of("game").find(({ ready }) => ready?.name === shadow.name);
    stopped?.signal("SIGSTOP");
    const trace = await traced(host.endpoint, match);
    stopped?.signal("SIGCONT");
    expect(trace.silent).toEqual([shadow.name]);
    expect(trace.servers.map(({ name }) => name)).toEqual([host.name]);
    expect(trace.match).toEqual({ match });
  });
});

describe("`tertulia trace` of a match", { timeout: 60_000 }, () => {
  const run = async (...args: string[]): Promise<Ended> => {
    using command = new CliProcess(args, {
      ...clusterVariables(scene.cluster.endpoints),
      TERTULIA_GAME: scene.cluster.endpoints.game,
      TERTULIA_USER: "eva",
      XDG_STATE_HOME: scene.cluster.folder,
    });
    return await command.end();
  };

  test("[O68] it prints the steps of an action, or of the whole match, as text, picture, log and JSON", async () => {
    using round = await FirstRound.begin(scene);
    const { host, shadow, match } = round;
    await round.play(host, "host-play");
    await round.play(shadow, "last-play");
    const { code, stdout, stderr } = await run("trace", "host-play");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(`Action ${host.player.user}/host-play in match ${match}\n`);
    const lines = stdout.split("\n");
    const at = (words: string) => lines.findIndex((line) => line.includes(words));
    const steps = [
      `${host.name}  proposed it to ${shadow.name} (proposal `,
      `${shadow.name}  judged the proposal of ${host.name}: acknowledged`,
      `${host.name}  heard the acknowledgement of ${shadow.name}, asked it to check`,
      `${shadow.name}  checked for ${host.name}: nothing came in between`,
      `${host.name}  made the event: ${shadow.name} has checked it`,
      `${shadow.name}  received the event from ${host.name}`,
      `${shadow.name}  synced the event to disk`,
      `${host.name}  heard that ${shadow.name} has it on disk`,
      `${host.name}  sent the receipt`,
    ].map(at);
    expect(steps).not.toContain(-1);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(stdout).toMatch(/on its disk after [\d.]+ ms, receipt sent after [\d.]+ ms\.\n$/);

    const whole = await run("trace", match);
    expect(whole.stdout).toMatch(`Match ${match}\n`);
    expect(whole.stdout).toContain(`(${shadow.player.user}/last-play)`);
    expect((await run("trace", match, "--svg")).stdout).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    const log = (await run("trace", "host-play", "--shiviz")).stdout.split("\n");
    expect(log[0]).toBe('client {"client":1}');
    expect(log).toContain(`${host.name} {"client":1,"${host.name}":1}`);
    const { stdout: json } = await run("trace", `${match}/last-play`, "--json");
    expect(JSON.parse(json).match).toEqual({ match, operation: `${shadow.player.user}/last-play` });
  });

  test("[O68] it ends with code 1 and one sentence if no server remembers the action, or if no game server answers", async () => {
    const unknown = await run("trace", "never-done");
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toMatch(/^tertulia: No server remembers never-done: .*\n$/);
    const nobody = await run("trace", "never-done", "--game", "tcp://127.0.0.1:1");
    expect(nobody).toMatchObject({ code: 1, stdout: "" });
    expect(nobody.stderr).toMatch(
      /^tertulia: .* no game server answers at tcp:\/\/127\.0\.0\.1:1.*\n$/,
    );
  });
});

describe("a game server with --steps 0", { timeout: 90_000 }, () => {
  test("[O68] it remembers nothing, and still asks the other game servers", async () => {
    const settings = ({ label }: { readonly label: string }): Record<string, string> => {
      return label === "game 1" ? { TERTULIA_STEPS: "0" } : {};
    };
    await using own = await MatchScene.start({ servers: 1, settings });
    using round = await FirstRound.begin(own);
    const { host, match } = round;
    expect(await round.play(host, "a-play")).toBeUndefined();
    const [, name] = own.cluster.of("game").map(({ ready }) => ready?.name);
    for (const game of own.games) {
      const trace = await traced(game, "a-play");
      expect(trace.match?.match).toBe(match);
      expect(trace.servers.map((server) => server.name)).toEqual([name]);
    }
  });
});
