import { expect, test } from "vitest";
import { SealOpener } from "../../src/client/seal-opener.ts";
import { TopicKeyring } from "../../src/client/topic-keyring.ts";
import { decrypt, encrypt } from "../../src/platform/encryption.ts";
import { Secret } from "../../src/platform/secret.ts";
import { parseReply } from "../../src/protocol/parse-reply.ts";
import { dayOf, readSealed, sealedForm, type TopicKey } from "../../src/protocol/sealed.ts";
import { TopicKeys } from "../../src/server/topic-keys.ts";
import { until } from "../support/until.ts";

const dayMs = 86_400_000;
const timeMs = Date.UTC(2026, 0, 2);
const [day, topic, version] = [dayOf(timeMs), "#geral\0", ""];
const here = { topic, day, version };
const plain = Buffer.from("an array of publications");

function serversOf(text: string): TopicKeys {
  const source = { text, path: "", isDefault: true, cluster: "tertulia" };
  return new TopicKeys(new Secret(text, source));
}

const servers = serversOf("the secret of the cluster");

/** A keyring that has received two channels' keys for today and yesterday. */
async function keyring(publisher: unknown = servers.publisher): Promise<TopicKeyring> {
  const made = new TopicKeyring(async (of) => {
    const days = [day - 1, day].map((one) => {
      return { day: one, key: servers.key({ ...here, topic: of, day: one }).toString("base64url") };
    });
    return parseReply("keys", { keys: { [of]: days }, publisher });
  }, new SealOpener());
  for (const of of [topic, "#other\0"]) {
    let isThere = false;
    made.open(of, sealedForm(day, Buffer.alloc(0)), () => {
      isThere = true;
    });
    await until(() => isThere, "its keys have come");
  }
  return made;
}

const open = (by: TopicKeyring, payload: Buffer, of = topic) => by.open(of, payload, () => {});

/** Encrypts `content` with the topic's key, as any reader of the topic can. */
function seal(content: Uint8Array, of: TopicKey = here): Buffer {
  return sealedForm(of.day, encrypt(servers.key(of), content, of.topic));
}

/**
 * The decrypted payload of a publication: the signature by `by`, then the array of publications.
 */
function signed(by = servers): Buffer {
  const { sealed } = readSealed(by.sealPublication({ topic, version, plain }, timeMs)) ?? {};
  return decrypt(by.key(here), sealed as Buffer, topic) as Buffer;
}

test("[X5] a client accepts a payload that a server has signed", async () => {
  const sealed = servers.sealPublication({ topic, version, plain }, timeMs);
  expect(open(await keyring(), sealed)).toEqual(plain);
  expect(open(await keyring(), seal(signed()))).toEqual(plain);
});

test("[X5] a client drops a payload that is unsigned, altered, truncated, signed with another key, or encrypted for another day or topic", async () => {
  const reader = await keyring();
  const altered = signed();
  altered.fill("another", 70);
  const others = signed(serversOf("the secret of another"));
  const forged = [plain, Buffer.alloc(0), altered, others, Buffer.alloc(200, 7)];
  for (const content of [...forged, signed().subarray(0, 64), signed().subarray(0, 30)]) {
    expect(open(reader, seal(content))).toBeUndefined();
  }
  const yesterday = { ...here, day: day - 1 };
  expect(open(reader, seal(signed(), yesterday))).toBeUndefined();
  const other = { ...here, topic: "#other\0" };
  expect(open(reader, seal(signed(), other), other.topic)).toBeUndefined();
});

test.each([null, 7, "", "no key"])(
  "[X5] a client that receives %j instead of the publisher's key drops every payload",
  async (publisher) => {
    expect(open(await keyring(publisher), seal(signed()))).toBeUndefined();
  },
);

test("[X5] replication is encrypted with a key that is valid for one day and differs from the key of each topic", () => {
  const sealed = servers.sealReplication(plain, timeMs);
  expect(servers.openReplication(sealed)).toEqual(plain);
  expect(serversOf("the secret of another").openReplication(sealed)).toBeUndefined();
  expect(servers.openReplication(plain)).toBeUndefined();
  const { sealed: rest = plain } = readSealed(sealed) ?? {};
  const next = sealedForm(dayOf(timeMs + dayMs), rest);
  expect(servers.openReplication(next)).toBeUndefined();
  expect(decrypt(servers.key({ ...here, topic: "replication" }), rest, "replication")).toBe(
    undefined,
  );
});
