import { describe, expect, test } from "vitest";
import { SealOpener } from "../../src/client/seal-opener.ts";
import { TopicKeyring } from "../../src/client/topic-keyring.ts";
import { Sessions } from "../../src/net/sessions.ts";
import { Secret } from "../../src/platform/secret.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { parseReply } from "../../src/protocol/parse-reply.ts";
import { dayOf } from "../../src/protocol/sealed.ts";
import { renewal } from "../../src/server/core/accounts/access.ts";
import { TopicKeys } from "../../src/server/topic-keys.ts";
import { member } from "../support/members.ts";
import { until } from "../support/until.ts";

const [old, next] = ["the old secret of the cluster", "the new secret of the cluster"];
/** The secret's file before, during and after a change of the secret, one step after the other. */
const files = [[old], [old, next], [next, old], [next]];
const pairs = files.flatMap((sender) => files.map((receiver) => ({ sender, receiver })));
const rows = pairs.map(({ sender, receiver }) => ({
  from: sender.join("\n"),
  by: receiver.join("\n"),
  isAccepted: receiver.includes(sender[0] as string),
}));

const plain = Buffer.from("an array of publications");
const timeMs = Date.UTC(2026, 0, 2);
const [day, topic, version] = [dayOf(timeMs), "#geral\0", ""];

function secretOf(text: string): Secret {
  return new Secret(text, { text, path: "", isDefault: true, cluster: "tertulia" });
}

/** The reply of a server to `keys`, as the client parses it. */
function keysOf(servers: TopicKeys) {
  const [used, ...also] = [servers, ...servers.others].map((one) => {
    const key = one.key({ topic, day, version }).toString("base64url");
    return { keys: { [topic]: [{ day, key }] }, publisher: one.publisher };
  });
  return parseReply("keys", { ...used, also });
}

describe.each(rows)(
  "[O55] from the secrets $from to the secrets $by",
  ({ from, by, isAccepted }) => {
    test(`a member's publication is accepted: ${isAccepted}`, () => {
      const [a, b] = [member("a", { secret: from }), member("b", { secret: by })];
      const heard = b.seals.hear("replication", plain, a.seals.seal("replication", plain));
      expect(heard).toBe(isAccepted ? "a" : undefined);
      expect(b.membership.refusals.counts.forged).toBe(isAccepted ? 0 : 1);
    });

    test(`an answer to a member's question is accepted: ${isAccepted}`, () => {
      const [a, b] = [member("a", { secret: from }), member("b", { secret: by })];
      const question = b.seals.seal("a", plain);
      const asked = a.seals.takeQuestion(plain, question);
      const mac = { sender: "b", mac: question.subarray(0, 32) };
      const seal = a.seals.sealAnswer(asked ?? mac, plain);
      expect(b.seals.isAnswer("a", question, { payload: plain, seal })).toBe(isAccepted);
    });

    test(`a user's token is accepted: ${isAccepted}`, () => {
      const [signer, checker] = [from, by].map((text) => {
        return new Sessions(secretOf(text).deriveKeys("token"));
      });
      const token = signer?.give({ user: parseUserName("ana"), version: "v1" }, timeMs) ?? "";
      const isInUse = from.split("\n")[0] === by.split("\n")[0];
      const session = checker?.check(token);
      expect(session?.user).toBe(isAccepted ? "ana" : undefined);
      expect(session?.isOfOtherSecret).toBe(isAccepted && !isInUse ? true : undefined);
    });

    test(`a server's encrypted message to other servers can be read: ${isAccepted}`, () => {
      const sealed = new TopicKeys(secretOf(from)).sealReplication(plain, timeMs);
      const opened = new TopicKeys(secretOf(by)).openReplication(sealed);
      expect(opened).toEqual(isAccepted ? plain : undefined);
    });

    test(`a client with a server's keys can read another server's publication: ${isAccepted}`, async () => {
      const sealed = new TopicKeys(secretOf(from)).sealPublication(
        { topic, version, plain },
        timeMs,
      );
      const keys = keysOf(new TopicKeys(secretOf(by)));
      const reader = new TopicKeyring(async () => keys, new SealOpener());
      let isThere = false;
      reader.open(topic, sealed, () => {
        isThere = true;
      });
      await until(() => isThere, "the keys have come");
      expect(reader.open(topic, sealed, () => {})).toEqual(isAccepted ? plain : undefined);
    });
  },
);

test("[O55] a server renews at once a session whose token is signed with a secret that is not in use", () => {
  const user = parseUserName("ana");
  const [before, during] = [old, `${next}\n${old}`].map((text) => {
    return new Sessions(secretOf(text).deriveKeys("token"));
  });
  const renewed = (token = "") => {
    const session = during?.check(token);
    const request = { service: "users", clock: 1, id: undefined, token, session } as const;
    return renewal(request as never, { for: "users" }, timeMs);
  };
  expect(renewed(before?.give({ user, version: "v1" }, timeMs))).toEqual({ user, version: "v1" });
  expect(renewed(during?.give({ user, version: "v1" }, timeMs))).toBeUndefined();
  expect(renewed(before?.giveOperator(timeMs))).toBeUndefined();
});

test("[O55] a client that stays connected learns the new keys when the first publication with them arrives", async () => {
  const server = new TopicKeys(secretOf(old));
  const switched = new TopicKeys(secretOf(`${next}\n${old}`));
  let [asked, news] = [0, 0];
  const reader = new TopicKeyring(async () => {
    asked += 1;
    return keysOf(asked === 1 ? server : switched);
  }, new SealOpener());
  const open = (by: TopicKeys) =>
    reader.open(topic, by.sealPublication({ topic, version, plain }, timeMs), () => {
      news += 1;
    });
  expect(open(server)).toBeUndefined();
  await until(() => news === 1, "it has the old keys");
  expect(open(server)).toEqual(plain);
  await until(() => open(switched) !== undefined, "it has the new keys");
  expect(open(server)).toEqual(plain);
  expect(asked).toBe(2);
});
