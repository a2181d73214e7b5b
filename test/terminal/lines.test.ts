import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nothingSaved } from "../../src/client/core/chat-model.ts";
import { PersonFiles } from "../../src/client/person-files.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { until } from "../support/until.ts";
import { CliProcess, clusterVariables, type Ended } from "./cli-process.ts";
import { scene } from "./scene.ts";

const place = scene();

function open(user: string, ...flags: string[]): CliProcess {
  return new CliProcess(["chat", "--user", user, ...flags], {
    ...clusterVariables(place.cluster.endpoints),
    TERTULIA_DATA: join(place.home.path, "none"),
    XDG_STATE_HOME: place.home.path,
  });
}

async function run(user: string, input: string, ...flags: string[]): Promise<Ended> {
  using chat = open(user, ...flags);
  return await chat.end(input);
}

const shown = ({ stdout }: Pick<Ended, "stdout">) => stdout.match(/(?<=: ).*$/gm) ?? [];

/** The content of all outbox files below the test's home folder. */
function kept(): string {
  return readdirSync(place.home.path, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith("outbox.jsonl"))
    .map((path) => readFileSync(join(place.home.path, path), "utf8"))
    .join("");
}

test("/links in chat by lines prints each link of the present channel once, the newest last", async () => {
  const input =
    "/create #links\nhttp://a.example/1 (https://b.example).\nhttp://a.example/1\n/links\n";
  const { code, stdout } = await run("eva", input);
  expect(code).toBe(0);
  expect(stdout).toMatch(/\nhttps:\/\/b\.example\nhttp:\/\/a\.example\/1\n$/);
  expect((await run("eva", "/create #linkless\n/links\n")).stderr).toContain(
    "The newest messages in #linkless have no links.",
  );
}, 60_000);

test("[Q31] /search in chat by lines prints what is found, oldest first, and how much it is", async () => {
  const input = "/create #found\nfirst find\nnothing\nlast find\n/search FIND\n/search lost\n";
  const { code, stdout, stderr } = await run("eva", input);
  expect(code).toBe(0);
  expect(shown({ stdout })).toEqual([
    ...["first find", "nothing", "last find"],
    ...["first find", "last find"],
  ]);
  expect(stderr).toContain("Found in #found (2): FIND\nFound nothing in #found: lost\n");
}, 60_000);

test("chat by lines shows a sent message before the next command's answer, even without a proxy", async () => {
  const input = "/create #alone\nhttps://a.example\n/links\n/msg eva to myself\n";
  const { code, stdout } = await run("eva", input, "--proxy", "tcp://127.0.0.1:1");
  expect(code).toBe(0);
  expect(stdout.replace(/^\d\d:\d\d /gm, "")).toBe(
    "#alone eva: https://a.example\nhttps://a.example\neva → eva: to myself\n",
  );
}, 60_000);

test.each(["SIGKILL", "SIGTERM"] as const)(
  "[C5] if %s ends a chat while a line is being sent, the next chat sends this line first, and only once",
  async (signal) => {
    const channel = `ended-by-${signal}`;
    await place.zoe.createChannel(parseChannelName(channel));
    using first = open("ana");
    first.child.stdin.write(`/join ${channel}\nsaid\n`);
    await first.saw("ana: said");
    await place.withoutMajority(async () => {
      first.child.stdin.write("in flight\nnever read\n");
      await until(() => kept().includes("in flight"), "the line is on disk");
      first.child.kill(signal);
      const { stderr } = await first.end();
      if (signal === "SIGTERM")
        expect(stderr).toMatch(/\nNot sent yet, but kept for your next chat: 1\.\n$/);
    });
    const next = await run("ana", `/join ${channel}\nnext\n`);
    expect(next).toMatchObject({ code: 0 });
    expect(next.stderr).toContain(
      `Left by an earlier chat and sent now: #${channel} in flight\nYou are in`,
    );
    expect(await place.texts(channel)).toEqual(["said", "in flight", "next"]);
    expect((await run("ana", "/time\n")).stderr).toBe("");
  },
  60_000,
);

test("[C5] chat by lines drops a line whose failure it has reported, so no later chat sends the line", async () => {
  await place.zoe.createChannel(parseChannelName("told"));
  using chat = open("bia", "--timeout", "1");
  chat.child.stdin.write("/join told\n");
  await chat.saw("You are in #told");
  await place.withoutMajority(async () => {
    const { code, stderr } = await chat.end("a line\n");
    expect(code).toBe(1);
    expect(stderr).toContain("Not everything was done: 1 failed.");
  });
  expect(kept()).toBe("");
}, 60_000);

test("chat by lines shows the newest lines of a joined channel, and then each new line once", async () => {
  await place.zoe.createChannel(parseChannelName("long"));
  const lines = Array.from({ length: 60 }, (_, at) => `line ${at}`);
  for (const line of lines.slice(0, 25)) await place.zoe.publish(parseChannelName("long"), line);
  expect(shown(await run("caio", "/join long\n"))).toEqual(lines.slice(5, 25));
  using chat = open("caio");
  chat.child.stdin.write("/join long\n");
  // Some messages come before the chat joins, some while it joins, and some after.
  for (const line of lines.slice(25)) await place.zoe.publish(parseChannelName("long"), line);
  await chat.saw("line 59");
  const all = shown(chat);
  expect(all).toEqual(lines.slice(-all.length));
  expect(all.length).toBeGreaterThanOrEqual(20);
}, 60_000);

test("chat by lines marks a message as read only if the chat has shown the message", async () => {
  await place.zoe.createChannel(parseChannelName("gap"));
  await place.zoe.publish(parseChannelName("gap"), "known");
  expect(shown(await run("rui", "/join gap\n"))).toEqual(["known"]);
  const files = new PersonFiles(
    join(place.home.path, "tertulia"),
    [place.cluster.endpoints.broker],
    "rui",
  );
  const read = files.read().read["#gap"];
  expect(read).toBeDefined();
  for (let number = 0; number < 25; number += 1)
    await place.zoe.publish(parseChannelName("gap"), `new ${number}`);
  expect(shown(await run("rui", "/join gap\n"))).toHaveLength(20);
  expect(files.read().read["#gap"]).toEqual(read);
  // All 120 private messages are shown, although they are very long.
  for (let number = 0; number < 120; number += 1) {
    await place.zoe.message(parseUserName("rui"), `${number} ${"x".repeat(4_000)}`);
  }
  const numbers = shown(await run("rui", "")).map((text) => Number(text.split(" ")[0]));
  expect(numbers).toEqual(Array.from({ length: 120 }, (_, at) => at));
}, 60_000);

test("chat by lines explains the use of a command in the person's language", async () => {
  const { code, stderr } = await run("caio", "/msg ana\n", "--lang", "pt-br");
  expect(code).toBe(1);
  expect(stderr).toContain("Escreva assim: /msg nome texto\n");
}, 60_000);

test("chat by lines ends with code 1 and one sentence if its folder can't be used", async () => {
  writeFileSync(join(place.home.path, "tertulia"), "no folder");
  const { code, stderr } = await run("caio", "");
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^tertulia: Messages that wait to be sent are kept in .* \(ENOTDIR\): .*\n$/,
  );
}, 60_000);

test("/create in chat by lines creates a channel and joins it", async () => {
  const { code, stdout } = await run("caio", "/create #made\nfirst words\n");
  expect(code).toBe(0);
  expect(stdout).toContain("#made caio: first words");
  expect(await place.texts("made")).toEqual(["first words"]);
}, 60_000);

test("chat by lines shows private messages that arrived while the person was away, and no later chat shows them", async () => {
  await place.cluster.client().login(parseUserName("dora"));
  await place.zoe.message(parseUserName("dora"), "before all");
  expect(shown(await run("dora", ""))).toEqual([]);
  await place.zoe.message(parseUserName("dora"), "while away");
  expect(shown(await run("dora", ""))).toEqual(["while away"]);
  expect(shown(await run("dora", ""))).toEqual([]);
  const { broker } = place.cluster.endpoints;
  const files = new PersonFiles(join(place.home.path, "tertulia"), [broker], "dora");
  const { read, ...others } = files.read();
  expect(Object.keys(read)).toEqual(["@zoe"]);
  // The saved state that a full-screen chat would leave.
  const more = { ...nothingSaved, joined: ["geral"], muted: ["#geral"], current: "#geral" };
  files.save({ ...more, read });
  expect(others).toEqual({ joined: [], muted: [], closed: [], current: "", drafts: {} });
  await place.zoe.message(parseUserName("dora"), "away again");
  expect(shown(await run("dora", ""))).toEqual(["away again"]);
  const after = files.read();
  expect(after).toEqual({ ...more, read: after.read });
  expect(after.read).not.toEqual(read);
}, 60_000);
