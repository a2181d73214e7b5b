import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Router } from "zeromq";
import { decode, encode } from "../../src/protocol/codec.ts";
import { harmful, signs } from "../support/harmful.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { CliProcess, type Ended } from "./cli-process.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A stand-in for a server or a reference that an attacker controls. */
class StandIn {
  endpoint = "";
  answer: Fields = {};
  readonly #socket = new Router({ linger: 0 });

  async start(): Promise<void> {
    await this.#socket.bind("tcp://127.0.0.1:*");
    this.endpoint = this.#socket.lastEndpoint ?? "";
    void this.#serve();
  }

  close(): void {
    this.#socket.close();
  }

  async #serve(): Promise<void> {
    for await (const frames of this.#socket) {
      const envelope = frames.slice(0, frames.findIndex((frame) => frame.length === 0) + 1);
      const asked = decode(frames[envelope.length] as Buffer) as Fields | Fields[];
      const replies = [asked].flat().map((one) => this.#reply(one));
      const payload = encode(Array.isArray(asked) ? replies : replies[0]);
      await this.#socket.send([...envelope, payload]);
    }
  }

  #reply({ service, data }: Fields): Fields {
    const { id } = data as Fields;
    const said = { id, clock: 9, timestamp: harmful, server: harmful, status: "OK" };
    return { service, data: { ...said, ...this.answer } };
  }
}

let standIn: StandIn;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
  standIn = new StandIn();
  await standIn.start();
});

afterAll(async () => {
  standIn?.close();
  await folder?.[Symbol.asyncDispose]();
});

const entry = {
  id: harmful,
  server: "server_0000000a",
  seq: 1,
  clock: 3,
  timestamp: harmful,
  durable: [harmful],
};
const publication = { ...entry, channel: harmful, user: harmful, message: harmful };
const row = {
  name: harmful,
  rank: 1,
  address: harmful,
  role: "server",
  live: true,
  phase: harmful,
};

/** The fields of harmful answers; "a reply" has the fields of all services. */
const replies: Readonly<Record<string, Fields>> = {
  "an error": { status: "erro", code: "bad_request", description: harmful, message: harmful },
  "an error with an unknown code": {
    status: "erro",
    code: harmful,
    description: harmful,
    reason: harmful,
  },
  "a reply": {
    entry,
    entries: [publication, { ...publication, src: harmful, dst: harmful, channel: undefined }],
    next: harmful,
    seen: { server_0000000a: 1 },
    users: [harmful],
    channels: [harmful],
    time: harmful,
    present: [{ user: harmful, state: "online" }],
    coordinator: harmful,
    epoch: { view: 1, term: 1 },
    view: { number: 1, members: [harmful] },
    members: [{ ...row, member: true }],
    processes: [row],
    list: [row],
    token: harmful,
  },
  "a reply with wrong types": {
    entry: harmful,
    entries: harmful,
    users: harmful,
    channels: harmful,
    time: { [harmful]: harmful },
    coordinator: { [harmful]: harmful },
    members: harmful,
    list: harmful,
  },
};

/** Each command that asks a server or the reference, with its input. */
const commands: readonly (readonly [words: readonly string[], input?: string])[] = [
  [["users"]],
  [["channels"]],
  [["create", "geral"]],
  [["send", "#geral", "x"]],
  [["send", "@bia", "x"]],
  [["history", "#geral"]],
  [["history", "@bia"]],
  [["history", "#geral", "--since", "{}"]],
  [["listen", "#geral"]],
  [["time"]],
  [["status"]],
  [["login", "ana"], "password\n"],
  [["register", "ana"], "password\n"],
  [["password", "ana"], "old\nnew\n"],
  [["accounts", "lock", "ana"]],
  [["accounts", "add", "ana"], "password\n"],
  [["accounts", "registration", "closed"]],
  [["channels", "remove", "geral"]],
  [["servers", "remove", "server_0000000a"]],
  [["chat"], "/users\n/channels\n/who\n/time\n/status\n/join geral\nx\n/msg bia x\n/history\n"],
];

async function run(words: readonly string[], input = ""): Promise<Ended> {
  const { endpoint } = standIn;
  const env = {
    TERTULIA_BROKER: endpoint,
    TERTULIA_PROXY: endpoint,
    TERTULIA_REFERENCE: endpoint,
    TERTULIA_USER: "ana",
    TERTULIA_DATA: folder.path,
    XDG_STATE_HOME: folder.path,
  };
  using command = new CliProcess([...words, "--timeout", "1"], env);
  // A command that runs until it gets a signal gets one after 4 s, when it has shown all answers.
  const timer = setTimeout(() => command.child.kill("SIGTERM"), 4_000);
  const ended = await command.end(input);
  clearTimeout(timer);
  return ended;
}

/** Expects no control character except line ends, and no line that a server forged. */
function expectHarmless({ stdout, stderr }: Ended, what: string): void {
  const found = signs.filter((sign) => sign !== "\n" && (stdout + stderr).includes(sign));
  expect(found, `${what}: ${JSON.stringify(stdout + stderr)}`).toEqual([]);
  expect(stdout + stderr, what).not.toContain("\n[forged]");
}

describe.each(Object.keys(replies))(
  "a server that answers with %s full of control characters",
  (kind) => {
    test.each(["en", "pt-br"])(
      "no command prints control characters of a server's answers, in the language %s",
      async (language) => {
        standIn.answer = replies[kind] ?? {};
        const forms = commands.flatMap(([words, input]) =>
          // JSON is tested in English only, because the languages differ only in sentences.
          (language === "en" ? [[], ["--json"]] : [[]]).map((json) => {
            return { words: [...words, ...json, "--lang", language], input };
          }),
        );
        // Three commands run at a time, because each is a process.
        const next = forms.values();
        const work = async () => {
          for (const { words, input } of next) {
            expectHarmless(await run(words, input), `${kind}: ${words.join(" ")}`);
          }
        };
        await Promise.all([work(), work(), work()]);
      },
      300_000,
    );
  },
);

test("with --json, a command gives scripts the server's texts unchanged", async () => {
  standIn.answer = replies["an error"] ?? {};
  const { stderr } = await run(["users", "--json"]);
  expect(JSON.parse(stderr)).toMatchObject({ error: { description: harmful } });
  standIn.answer = replies["a reply"] ?? {};
  const { stdout } = await run(["users", "--json"]);
  expect(JSON.parse(stdout.split("\n")[0] ?? "")).toEqual({ user: harmful });
});
