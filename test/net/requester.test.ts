import { describe, expect, test } from "vitest";
import { ReferenceLink } from "../../src/net/reference-link.ts";
import { Requester } from "../../src/net/requester.ts";
import { Responder } from "../../src/net/responder.ts";
import { encode } from "../../src/protocol/codec.ts";
import { anyPort, Closing } from "../support/local-wires.ts";
import { type Member, member } from "../support/members.ts";
import { until } from "../support/until.ts";

const nothing = Buffer.alloc(0);

/** Starts a responder that answers each new sealed request, as a reference or a server does. */
async function answering(closing: Closing, who: Member, answer = Buffer.from("yes")) {
  const taken: string[] = [];
  const responder: Responder = closing.add(
    new Responder(
      (to, payload, seal) => {
        const question = who.seals.takeQuestion(payload, seal);
        if (question === undefined) return;
        const reply = question.isNew ? answer : nothing;
        if (question.isNew) taken.push(`${question.sender}: ${payload}`);
        responder.reply(to, reply, who.seals.sealAnswer(question, reply));
      },
      { takesSeals: true },
    ),
  );
  const endpoint = await responder.bind(anyPort);
  responder.start();
  return { endpoint, taken };
}

function askingB(endpoint: string, { seals }: Member): Requester {
  return new Requester([endpoint], { waits: true, sealing: { seals, to: "b" } });
}

describe("[X1] a member's request to another member", () => {
  test("a member answers another member whose clock is far behind, and the answer raises the asking member's clock", async () => {
    await using closing = new Closing();
    const [a, b] = [member("a"), member("b", { clock: 5_000_000 })];
    const { endpoint, taken } = await answering(closing, b);
    const requester = closing.add(askingB(endpoint, a));
    expect(String(await requester.ask(Buffer.from("hello"), 5_000))).toBe("yes");
    expect(taken).toEqual(["a: hello"]);
    expect(a.clock.value).toBeGreaterThan(5_000_000);
  });

  test("a member accepts no answer from a process with a different secret or without a seal", async () => {
    await using closing = new Closing();
    const a = member("a");
    const stranger = member("b", { secret: "the secret of somebody else" });
    const { endpoint } = await answering(closing, stranger);
    const requester = closing.add(askingB(endpoint, a));
    await expect(requester.ask(Buffer.from("hello"), 200)).rejects.toThrow(/No answer/);
    await until(() => stranger.membership.refusals.counts.forged > 0, "the stranger refuses it");
    const plain: Responder = closing.add(new Responder((to, payload) => plain.reply(to, payload)));
    const other = closing.add(askingB(await plain.bind(anyPort), a));
    plain.start();
    await expect(other.ask(Buffer.from("hello"), 5_000)).rejects.toThrow(/Another process than b/);
    expect(a.lines).toEqual([expect.stringContaining("A message of b was dropped")]);
  });
});

describe("[X1] a foreign reference", () => {
  test("a member ignores the answers of a reference with a different secret, and logs them", async () => {
    await using closing = new Closing();
    const a = member("a", { purpose: "reference" });
    const view = { number: 9, members: ["server_00000009"] };
    const lie = encode({ service: "list", data: { status: "OK", view, clock: 900_000 } });
    const foreign: Responder = closing.add(
      new Responder(
        (to, _payload, seal) => foreign.reply(to, lie, Buffer.concat([seal ?? nothing])),
        { takesSeals: true },
      ),
    );
    const link = closing.add(
      new ReferenceLink([await foreign.bind(anyPort)], a.clock, { seals: a.seals }),
    );
    foreign.start();
    await expect(link.ask("list", {}, 5_000)).rejects.toMatchObject({ code: "unavailable" });
    expect(a.clock.value).toBeLessThan(100);
    expect(a.lines).toEqual([
      expect.stringMatching(/of reference was dropped, its secret differs/),
    ]);
    // A guest, which has no secret, can't distinguish this reference from the cluster's own.
    const guest = closing.add(new ReferenceLink([await foreignPort(closing, lie)], a.clock));
    expect(await guest.ask("list", {}, 5_000)).toMatchObject({ view });
  });
});

async function foreignPort(closing: Closing, payload: Uint8Array): Promise<string> {
  const responder: Responder = closing.add(new Responder((to) => responder.reply(to, payload)));
  const endpoint = await responder.bind(anyPort);
  responder.start();
  return endpoint;
}
