import { afterAll, beforeAll, expect, test } from "vitest";
import { describeReplicas } from "../support/describe-replicas.ts";
import { Lessons } from "./lessons.ts";

describeReplicas("the lessons of docs/teaching.md", () => {
  let lessons: Lessons;

  beforeAll(async () => {
    lessons = await Lessons.start();
  }, 60_000);

  afterAll(() => lessons?.[Symbol.asyncDispose](), 30_000);

  /** A lesson by the word behind its number, with what its commands print. */
  const run = (word: string) => {
    const heading = Lessons.headings.find((each) => each.includes(word));
    if (heading === undefined) throw new Error(`the page has no lesson on ${word}`);
    return lessons.run(heading);
  };

  test("[O64] the lesson on causality traces a message from the client to the disks of a quorum and back", async () => {
    const printed = await run("Causality");
    expect(printed).toMatch(/client +sent the request\n/);
    expect(printed.match(/ synced the event to disk/g)?.length).toBeGreaterThanOrEqual(2);
    expect(printed).toMatch(/client +received the receipt/);
    expect(printed).toMatch(/The client had its receipt after [\d.]+ ms/);
    expect(await lessons.picture("causality")).toContain("sent the receipt</text>");
  }, 60_000);

  test("[O64] the lesson on quorums shows a committed event, a silent server, and this server's steps later", async () => {
    const [during = "", after = ""] = (await run("Quorum")).split(/(?<=\n)(?=Event )/);
    const [silent = ""] = /(?<=No answer from )server_\w+(?=,)/.exec(during) ?? [];
    expect(during).toContain("knows that a quorum has it on disk");
    expect(during).toContain("received the receipt");
    expect(after).toMatch(new RegExp(`${silent} +synced the event to disk`));
  }, 120_000);

  test("[O64] the lesson on partitions shows an event that is committed only when a quorum is back", async () => {
    const printed = await run("Partition");
    const steps = /sent the request[\s\S]*made the event[\s\S]*knows that a quorum has it on disk/;
    expect(printed).toMatch(steps);
    const committed = /committed after (\d+)/;
    for (const told of [printed, await lessons.picture("partition")]) {
      const [, waitedMs] = committed.exec(told) ?? [];
      expect(Number(waitedMs)).toBeGreaterThan(2_000);
    }
  }, 240_000);

  test("[O64] the lesson on elections shows two coordinators, and traces the event of the second", async () => {
    const printed = await run("Election");
    const [first, second] = [...printed.matchAll(/coordinator (server_\w+) · epoch ([\d.]+)/g)];
    expect(second?.[1]).toMatch(/^server_/);
    expect(second?.[2]).not.toBe(first?.[2]);
    expect(printed).toContain("Sent to #class");
    expect(await lessons.picture("election")).toContain("(coordinator)");
  }, 120_000);

  test("[O64] the lesson on clocks shows by how much a clock is wrong, and keeps the order of causes", async () => {
    const printed = await run("Clock skew");
    const [, ms] = /these clocks differ by at least (\d{4})\./.exec(printed) ?? [];
    expect(Number(ms)).toBeGreaterThan(3_000);
    expect(printed).toContain("OFFSET MS");
  }, 120_000);
});
