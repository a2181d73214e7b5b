import { beforeAll, expect, test } from "vitest";
import { gatewayScene } from "./gateway-scene.ts";

const scene = gatewayScene({ auth: "required" });
const channel = "GET /api/v1/channels/{channel}/search";
const own = "GET /api/v1/users/{user}/search";
let ana: string;
let bia: string;

beforeAll(async () => {
  [ana, bia] = [await scene.enter("ana"), await scene.enter("bia")];
  await scene.createChannel("geral", ana);
  const write = async (operation: string, path: Record<string, string>, message: string) => {
    const { status } = await scene.ask(operation, { token: ana, path, body: { message } });
    expect(status).toBe(201);
  };
  for (const message of ["Bom dia", "dia bom", "boa noite", "bom dia, ana"]) {
    await write("POST /api/v1/channels/{channel}/messages", { channel: "geral" }, message);
  }
  for (const user of ["ana", "bia"]) {
    await write("POST /api/v1/users/{user}/messages", { user }, `bom dia, ${user}`);
  }
}, 60_000);

const textsOf = (json: { messages: { message: string }[] }) =>
  json.messages.map(({ message }) => message);

test("[G59] a search finds a user's messages of a channel and their own private messages, page by page", async () => {
  const find = async (operation: string, path: object, query: string) => {
    const asked = { token: ana, path: path as Record<string, string>, query };
    const { status, json } = await scene.ask(operation, asked);
    expect(status).toBe(200);
    return json;
  };
  const geral = { channel: "geral" };
  const newest = await find(channel, geral, "?words=bom%20dia&limit=2");
  expect(textsOf(newest)).toEqual(["dia bom", "bom dia, ana"]);
  const older = await find(channel, geral, `?words=bom%20dia&before=${newest.next}`);
  expect(textsOf(older)).toEqual(["Bom dia"]);
  expect(older.next).toBeUndefined();
  expect(textsOf(await find(channel, geral, "?words=%22bom%20dia%22%20-ana"))).toEqual(["Bom dia"]);
  const user = { user: "ana" };
  expect(textsOf(await find(own, user, "?words=dia"))).toEqual(["bom dia, ana", "bom dia, bia"]);
  expect(textsOf(await find(own, user, "?words=dia&with=bia"))).toEqual(["bom dia, bia"]);
});

test("[G59] a search of another user's private messages gets 403, and one without a word 400", async () => {
  const path = { user: "ana", channel: "geral" };
  const others = await scene.ask(own, { token: bia, path, query: "?words=dia" });
  expect(others).toMatchObject({ status: 403, json: { code: "forbidden" } });
  for (const query of ["", "?words=", "?words=-dia"]) {
    expect((await scene.ask(channel, { token: ana, path, query })).status).toBe(400);
  }
});
