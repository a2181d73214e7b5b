import { describe, expect, test } from "vitest";
import { ReplayWindow } from "../../src/net/replay-window.ts";
import { limits } from "../../src/protocol/limits.ts";
import { type Member, member } from "../support/members.ts";

const payload = Buffer.from("what is said");
const topic = "replication";

/**
 * Seals `text` as `sender` and checks the seal as `receiver`. `heard` is the sender's name, or
 * undefined if the receiver refuses the seal.
 */
function publish(sender: Member, receiver: Member, text: Buffer = payload) {
  const seal = sender.seals.seal(topic, text);
  return { seal, heard: receiver.seals.hear(topic, text, seal) };
}

describe("[X1] a publication", () => {
  test("a member's publication is accepted once and raises the receiver's clock", () => {
    const [a, b] = [member("a", { clock: 40 }), member("b")];
    const { seal, heard } = publish(a, b);
    expect(heard).toBe("a");
    expect(b.clock.value).toBe(42);
    // With two proxies each publication arrives twice, so the second copy is not counted as
    // refused.
    expect(b.seals.hear(topic, payload, seal)).toBeUndefined();
    expect(b.membership.refusals.counts).toEqual({ forged: 0, stale: 0 });
    expect(b.lines).toEqual([]);
  });

  test("a publication is refused if its seal is missing, cut short or changed in one bit", () => {
    const [a, b] = [member("a"), member("b")];
    const seal = a.seals.seal(topic, payload);
    expect(b.seals.hear(topic, payload, undefined)).toBeUndefined();
    for (let length = 0; length < seal.length; length += 1) {
      expect(b.seals.hear(topic, payload, seal.subarray(0, length))).toBeUndefined();
    }
    for (let at = 0; at < seal.length; at += 1) {
      const changed = Buffer.from(seal);
      changed[at] = (changed[at] as number) ^ 1;
      expect(b.seals.hear(topic, payload, changed)).toBeUndefined();
    }
    expect(b.seals.hear(topic, Buffer.from("something else"), seal)).toBeUndefined();
    expect(b.clock.value).toBe(0);
    expect(b.membership.refusals.counts.forged).toBe(2 + 2 * seal.length);
    expect(b.seals.hear(topic, payload, seal)).toBe("a");
  });

  test("a publication is accepted only on the topic for which it was sealed", () => {
    const [a, b] = [member("a"), member("b")];
    const seal = a.seals.seal("servers", payload);
    expect(b.seals.hear(topic, payload, seal)).toBeUndefined();
  });

  test.each([
    ["another secret", { secret: "the secret of somebody else" }],
    ["another cluster's name", { cluster: "elsewhere" }],
    ["another channel's key", { purpose: "replication" as const }],
  ])(
    "a publication sealed with %s is refused, and the log says once that the secret differs",
    (_name, options) => {
      const [a, b] = [member("a", options), member("b")];
      for (let times = 0; times < 10; times += 1) expect(publish(a, b).heard).toBeUndefined();
      expect(b.membership.refusals.counts.forged).toBe(10);
      expect(b.lines).toEqual([
        "A message of a was dropped, its secret differs: copy TERTULIA_SECRET from the other machine",
      ]);
    },
  );

  test("refused publications cause at most 100 log lines, whatever names their senders choose", () => {
    const b = member("b");
    for (let number = 0; number < 1_000; number += 1) {
      publish(member(`a${number}`, { secret: "the secret of somebody else" }), b);
    }
    expect(b.lines.length).toBeLessThanOrEqual(100);
    expect(b.membership.refusals.counts.forged).toBe(1_000);
  });

  test("a repeated publication is refused, even after its receiver has restarted", () => {
    const [a, b] = [member("a", { clock: 7 }), member("b")];
    const { seal } = publish(a, b);
    publish(a, b);
    expect(b.seals.hear(topic, payload, seal)).toBeUndefined();
    // A restarted receiver's clock is above all clocks that it received before the restart.
    const restarted = member("b", { clock: b.clock.value });
    expect(restarted.seals.hear(topic, payload, seal)).toBeUndefined();
    expect(restarted.membership.refusals.counts).toEqual({ forged: 0, stale: 1 });
  });

  test("the publications of a member with a far too low clock are refused until this member hears a higher clock", () => {
    const [a, b] = [member("a", { clock: 1_000 }), member("b", { clock: 200_000 })];
    expect(publish(a, b).heard).toBeUndefined();
    expect(publish(b, a).heard).toBe("b");
    expect(publish(a, b).heard).toBe("a");
  });
});

describe("[X1] a sealed request", () => {
  test("a sealed request is accepted only by the asked member, and an answer is accepted only for the request that it answers", () => {
    const [a, b, c] = [member("a"), member("b"), member("c")];
    const seal = a.seals.seal("b", payload);
    expect(c.seals.takeQuestion(payload, seal)).toBeUndefined();
    const question = b.seals.takeQuestion(payload, seal);
    expect(question).toMatchObject({ sender: "a", isNew: true });
    if (question === undefined) return;
    const answer = {
      payload: Buffer.from("yes"),
      seal: b.seals.sealAnswer(question, Buffer.from("yes")),
    };
    expect(a.seals.isAnswer("c", seal, answer)).toBe(false);
    expect(a.seals.isAnswer("b", a.seals.seal("b", payload), answer)).toBe(false);
    expect(a.seals.isAnswer("b", seal, { ...answer, payload: Buffer.from("no") })).toBe(false);
    expect(a.seals.isAnswer("b", seal, { ...answer, seal: undefined })).toBe(false);
    // An answer is not accepted as a request, nor a request as an answer.
    expect(a.seals.takeQuestion(answer.payload, answer.seal)).toBeUndefined();
    expect(a.seals.isAnswer("b", seal, { payload, seal })).toBe(false);
    expect(a.seals.isAnswer("b", seal, answer)).toBe(true);
  });

  test("a repeated sealed request is recognised as a repetition, even after its receiver has restarted", () => {
    const [a, b] = [member("a"), member("b")];
    const seal = a.seals.seal("b", payload);
    expect(b.seals.takeQuestion(payload, seal)?.isNew).toBe(true);
    expect(b.seals.takeQuestion(payload, seal)?.isNew).toBe(false);
    const restarted = member("b", { clock: b.clock.value });
    expect(restarted.seals.takeQuestion(payload, seal)?.isNew).toBe(false);
  });
});

describe("[X1] the replay window", () => {
  test("the replay window accepts each counter once, in any order", () => {
    const window = new ReplayWindow(10);
    expect(window.take("a", 10)).toBe("old");
    for (const counter of [13, 20, 11, 19]) expect(window.take("a", counter)).toBe("new");
    for (const counter of [13, 20, 11, 19]) expect(window.take("a", counter)).toBe("repeated");
    expect(window.take("b", 13)).toBe("new");
  });

  test("the replay window refuses a counter that is lower than all counters it remembers", () => {
    const window = new ReplayWindow(0);
    for (let count = 1; count <= limits.replayWindow + 1; count += 1) window.take("a", 2 * count);
    for (const counter of [1, 2, 3]) expect(window.take("a", counter)).toBe("old");
    expect(window.take("a", 5)).toBe("new");
    expect(window.take("a", 3)).toBe("old");
  });

  test("a full replay window forgets the member that was silent longest, and refuses this member's old counters", () => {
    const window = new ReplayWindow(0);
    for (let number = 1; number <= limits.replaySenders + 1; number += 1) {
      expect(window.take(`a${number}`, number)).toBe("new");
    }
    expect(window.take("a1", 1)).toBe("old");
    expect(window.take("a1", 2_000_000)).toBe("new");
  });
});
