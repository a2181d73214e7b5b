import { EventEmitter, once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { Connection } from "../../src/client/connection.ts";
import { type ChannelName, parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { parsePublications } from "../../src/protocol/parse-reply.ts";
import { type StandInAnswer, StandInServer } from "../support/stand-in-server.ts";

const open: { [Symbol.dispose]?(): void; close?(): void }[] = [];

afterEach(() => {
  for (const item of open.splice(0)) {
    item.close?.();
    item[Symbol.dispose]?.();
  }
});

async function meet(answer: StandInAnswer, deadlineMs = 4_000) {
  const server = await StandInServer.start(answer);
  const connection = new Connection({ brokers: [server.endpoint], proxies: [], deadlineMs });
  const client = connection.session({ user: parseUserName("ana") });
  open.push(connection, server);
  return { server, client };
}

const said = { timestamp: "2025-11-13T02:13:20", clock: 3 };
const saying = (data: object) => (request: { service: string }) => {
  return { service: request.service, data: { ...said, ...data } };
};
const channel = "geral" as ChannelName;

describe("[C8] a write to a server of the original protocol", () => {
  const accepted: Readonly<Record<string, StandInAnswer>> = {
    "says OK": saying({ status: "OK" }),
    "says ok in lower case": saying({ status: "ok" }),
    "says sucesso": saying({ status: "sucesso" }),
    "has a clock that is a string": saying({ status: "OK", clock: "12" }),
    "has a clock in nanoseconds": saying({ status: "OK", clock: 1.7e18 }),
    "has the request's id but no server": ({ service, data }) => {
      return { service, data: { ...said, id: data.id, status: "OK" } };
    },
    "has a server but no id": saying({ status: "OK", server: "s1" }),
    "has an invalid receipt": ({ service, data }) => {
      const entry = { id: data.id, server: "s1", seq: "1" };
      return { service, data: { ...said, id: data.id, server: "s1", status: "OK", entry } };
    },
    "has a different id": saying({ status: "OK", id: 77 }),
    "names another service": () => ({ service: "message", data: { ...said, status: "OK" } }),
  };

  test.each(Object.entries(accepted))(
    "a write to a server of the original protocol is sent once and reported as accepted if the server's answer %s",
    async (_name, answer) => {
      const { client, server } = await meet(answer);
      const sending = client.publish(parseChannelName("geral"), "Oi");
      await expect(sending).rejects.toMatchObject({
        code: "unsupported",
        retry: false,
        outcome: "accepted",
      });
      expect(server.asked).toHaveLength(1);
      expect(client.connection.clock.value).toBeLessThan(100);
    },
  );

  const refused: Readonly<Record<string, [StandInAnswer, object]>> = {
    "is an error with words": [saying({ status: "erro", message: "Não há" }), { words: "Não há" }],
    "is an error without words": [saying({ status: "erro" }), { words: "erro" }],
    "is an error whose words are not texts": [
      saying({ status: "erro", description: 7, message: null }),
      { words: "erro" },
    ],
    "is an error with `retry` but without a code": [
      saying({ status: "erro", retry: true, description: "De novo" }),
      { outcome: "refused" },
    ],
    "has a status other than OK": [saying({ status: "error" }), { words: "error" }],
    "has no status": [saying({}), { outcome: "unreadable" }],
    "has a number for its status": [saying({ status: 200 }), { outcome: "unreadable" }],
    "is a number": [() => 7, { outcome: "unreadable" }],
    "is an array": [() => [1, 2], { outcome: "unreadable" }],
    "has an array for its data": [
      ({ service }) => ({ service, data: ["OK"] }),
      { outcome: "unreadable" },
    ],
    "is no MessagePack": [() => new Uint8Array([0xc1, 0xff]), { outcome: "unreadable" }],
    "is empty": [() => new Uint8Array(), { outcome: "unreadable" }],
    "is JSON": [() => Buffer.from('{"data":{"status":"OK"}}'), { outcome: "unreadable" }],
  };

  test.each(Object.entries(refused))(
    "a write to a server of the original protocol is sent once and reported as refused or unreadable if the server's answer %s",
    async (_name, [answer, is]) => {
      const { client, server } = await meet(answer);
      const sending = client.publish(parseChannelName("geral"), "Oi");
      await expect(sending).rejects.toMatchObject({ code: "unsupported", retry: false, ...is });
      expect(server.asked).toHaveLength(1);
    },
  );

  test("a client that knows that its server has the original protocol does not repeat an unanswered write", async () => {
    const { client, server } = await meet(saying({ users: [] }), 2_500);
    await client.users();
    server.answer = () => undefined;
    const sending = client.publish(parseChannelName("geral"), "Oi");
    await expect(sending).rejects.toMatchObject({ outcome: "silent", service: "publish" });
    expect(server.asked).toHaveLength(2);
  });

  const services = (server: StandInServer) =>
    server.asked.map((request) => (request as { service: string }).service);

  test("a client sends a write only once, even if the answer arrives after the client has sent the probe `channels`", async () => {
    const probed = new EventEmitter();
    const { client, server } = await meet(async ({ service }) => {
      if (service === "channels") probed.emit("channels");
      else await once(probed, "channels");
      return { service, data: { ...said, status: "OK", channels: [] } };
    });
    const sending = client.publish(parseChannelName("geral"), "Oi");
    await expect(sending).rejects.toMatchObject({ outcome: "accepted" });
    expect(services(server)).toEqual(["publish", "channels"]);
  });

  test("a client does not repeat an unanswered write if the server answers `channels` as the original protocol does", async () => {
    const { client, server } = await meet(({ service }) =>
      service === "channels" ? { service, data: { ...said, channels: [] } } : undefined,
    );
    const sending = client.publish(parseChannelName("geral"), "Oi");
    await expect(sending).rejects.toMatchObject({ outcome: "silent", service: "publish" });
    expect(services(server)).toEqual(["publish", "channels"]);
  });

  test("a client repeats an unanswered write with its id if the server answers `channels` as a Tertulia server does", async () => {
    let published = 0;
    const { client, server } = await meet(({ service, data: { id } }) => {
      if (service === "publish") published += 1;
      if (service === "publish" && published === 1) return undefined;
      const entry = { id, server: "server_0000000a", seq: 1, clock: 1, durable: [] };
      const ours = { server: "server_0000000a", status: "OK", entry: { ...entry, ...said } };
      return { service, data: { ...said, id, ...ours, channels: [] } };
    });
    await client.publish(parseChannelName("geral"), "Oi");
    expect(services(server)).toEqual(["publish", "channels", "publish"]);
    const [first, , second] = server.asked as { data: { id: string } }[];
    expect(second?.data.id).toBe(first?.data.id);
  });

  test("a client sends its next write to a server of the original protocol only after the previous write is answered", async () => {
    const { client, server } = await meet(saying({ status: "OK" }));
    const sending = Array.from({ length: 20 }, (_, at) =>
      client.publish(parseChannelName("geral"), `${at}`),
    );
    const outcomes = await Promise.allSettled(sending);
    expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
    const texts = server.asked.map(
      (request) => (request as { data: { message: string } }).data.message,
    );
    expect(texts).toEqual(Array.from({ length: 20 }, (_, at) => `${at}`));
  });

  test("if a Tertulia server sends an error without an id, the client's open write fails with the error's code", async () => {
    const code = { status: "erro", code: "too_large", description: "Too large.", retry: false };
    const { client, server } = await meet(() => {
      return { service: "error", data: { ...said, server: "server_0000000a", ...code } };
    });
    await expect(client.publish(parseChannelName("geral"), "Oi")).rejects.toMatchObject({
      code: "too_large",
    });
    expect(server.asked).toHaveLength(1);
  });
});

describe("[C8] a read from a server of the original protocol", () => {
  test("a client reads lists from a server of the original protocol, even if the channels come in the field `users`", async () => {
    const { client } = await meet(({ service }) => ({
      service,
      data: { ...said, users: service === "users" ? ["ana"] : ["geral"], next: "zz" },
    }));
    expect(await client.users()).toEqual(["ana"]);
    expect(await client.channels()).toEqual(["geral"]);
  });

  test.each([
    ["null", null],
    ["a map", { ana: 1 }],
    ["numbers", [1, 2]],
    ["maps", [{ name: "ana" }]],
  ])(
    "a client reports a list from a server of the original protocol as unreadable if the list is %s",
    async (_name, users) => {
      const { client, server } = await meet(saying({ users }));
      await expect(client.users()).rejects.toMatchObject({ outcome: "unreadable" });
      expect(server.asked).toHaveLength(1);
    },
  );

  test.each([
    ["an error", saying({ status: "erro", description: "Serviço desconhecido" })],
    ["OK without a page of history", saying({ status: "OK", entries: null })],
    ["an error under another name", () => ({ service: "erro", data: { status: "erro" } })],
  ])(
    "reading the history fails with noService if a server of the original protocol answers %s",
    async (_name, answer) => {
      const { client, server } = await meet(answer);
      await expect(client.history({ channel })).rejects.toMatchObject({
        outcome: "noService",
        service: "history",
      });
      expect(server.asked).toHaveLength(1);
    },
  );

  test("reading the history fails with noService if a server of the original protocol answers only the request `channels`", async () => {
    const { client, server } = await meet(({ service }) =>
      service === "channels" ? { service, data: { ...said, channels: [] } } : undefined,
    );
    await expect(client.history({ channel })).rejects.toMatchObject({ outcome: "noService" });
    const asked = server.asked.map((request) => (request as { service: string }).service);
    expect(asked.filter((service) => service === "channels")).toHaveLength(1);
    expect(asked.length).toBeLessThanOrEqual(3);
  });
});

describe("[C8] a reply of a server that looks like a Tertulia server", () => {
  const whole = {
    channel: "geral",
    user: "ana",
    message: "Oi",
    timestamp: said.timestamp,
    clock: 1,
    server: "server_0000000a",
    seq: 1,
    id: "a",
  };
  const { server: _server, ...placeless } = whole;

  test.each([
    ["entries of null", { entries: null, seen: {} }],
    ["an entry without a server", { entries: [placeless], seen: {} }],
    ["an entry without a user", { entries: [{ ...whole, user: undefined }], seen: {} }],
    ["an entry that is null", { entries: [null], seen: {} }],
    ["no `seen`", { entries: [whole] }],
    ["a `seen` of strings", { entries: [whole], seen: { server_0000000a: "1" } }],
  ])(
    "a client refuses a page of history that has %s, and does not ask again",
    async (_name, data) => {
      const { client, server } = await meet(({ service, data: { id } }) => {
        return { service, data: { ...said, id, server: "server_0000000a", status: "OK", ...data } };
      });
      const page = client.history({ channel });
      await expect(page).rejects.toMatchObject({ code: "unsupported", retry: false });
      expect(server.asked).toHaveLength(1);
    },
  );

  test.each([
    ["no code", {}, 1],
    ["a code that the client does not know", { code: "newer" }, 1],
  ])(
    "a client does not repeat a write that a server refused with %s",
    async (_name, data, times) => {
      const { client, server } = await meet(({ service, data: { id } }) => {
        return {
          service,
          data: { ...said, id, server: "server_0000000a", status: "erro", ...data },
        };
      });
      const sending = client.publish(parseChannelName("geral"), "Oi");
      await expect(sending).rejects.toMatchObject({ code: "unsupported", retry: false });
      expect(server.asked).toHaveLength(times);
    },
  );

  test("with 50 requests open, a client gives each request the reply with its id", async () => {
    const ours = { server: "server_0000000a", status: "OK" };
    const replies = (request: unknown): unknown => {
      if (Array.isArray(request)) return request.map(replies);
      const { service, data } = request as { service: string; data: { id: string } };
      return { service, data: { ...said, ...ours, id: data.id, users: [data.id] } };
    };
    const { client } = await meet(replies);
    const ids = Array.from({ length: 50 }, () => client.newId());
    const answers = await Promise.all(ids.map((id) => client.ask("users", {}, { id })));
    expect(answers.map(({ users }) => users)).toEqual(ids.map((id) => [id]));
  });
});

test("[P2] a client drops publications that lack a channel and `seq`, and publications whose sender or time is not a string", () => {
  const flat = { user: "ana", message: "Oi", timestamp: said.timestamp, clock: 1 };
  const placed = { ...flat, channel: "geral", server: "server_0000000a", seq: 1, prev: 0, id: "a" };
  expect(
    parsePublications([flat, { ...placed, user: 7 }, { ...placed, timestamp: 5 }, placed]),
  ).toEqual([placed]);
  for (const value of [flat, null, "Oi", [null, [placed]]]) {
    expect(parsePublications(value)).toEqual([]);
  }
});
