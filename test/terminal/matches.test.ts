import { afterAll, beforeAll, expect, test } from "vitest";
import { Connection } from "../../src/client/connection.ts";
import { Sessions } from "../../src/net/sessions.ts";
import { now } from "../../src/platform/clock.ts";
import type { UserName } from "../../src/protocol/ids.ts";
import type { GameName, MatchId } from "../../src/protocol/matches.ts";
import { secretIn } from "../support/members-door.ts";
import { ClusterCommands } from "./cluster-commands.ts";

let commands: ClusterCommands;
const game = "game_0a1b2c3d" as GameName;
const idOf = (number: number) => `${number}`.padStart(16, "0") as MatchId;

beforeAll(async () => {
  commands = await ClusterCommands.start();
  for (const user of ["ana", "bia"]) await commands.run(["login", user]);
}, 60_000);

afterAll(() => commands?.[Symbol.asyncDispose](), 30_000);

const as = (user: string, ...args: string[]) => commands.run([...args, "--user", user]);

/** Has the matches of two users decided, as a game server does. */
async function play(): Promise<void> {
  const { endpoints, folder } = commands.cluster;
  const connection = new Connection({ brokers: [endpoints.broker], proxies: [] });
  const token = new Sessions(secretIn(folder).deriveKeys("token")).giveOperator(now().wallMs);
  const session = connection.session({ token });
  const [ana, bia] = ["ana", "bia"].map((user) => ({ user: user as UserName, game }));
  if (ana === undefined || bia === undefined) throw new Error("there are two players");
  const begin = async (number: number) => {
    const beginning = { rules: "duel", players: [ana, bia], host: game, game } as const;
    await session.ask("matchBegin", { match: idOf(number), ...beginning });
  };
  await begin(1);
  await session.ask("matchEnd", { match: idOf(1), term: 1, winner: bia.user, game });
  await begin(2);
  connection.close();
}

test("[Q23] `matches` prints a user's record, open match and last matches, and `ranking` the best users", async () => {
  await play();
  const { code, stdout } = await as("ana", "matches");
  expect(code).toBe(0);
  const [record, open, ended] = stdout.split("\n");
  expect(record).toBe("ana: rating 1184; 0 won, 1 lost, 0 drawn");
  expect(open).toContain(`${idOf(2)}  duel, ana against bia: open, term 1, host ${game}`);
  expect(ended).toContain(`${idOf(1)}  duel, ana against bia: bia has won; ratings 1184 and 1216`);
  const { stdout: json } = await as("ana", "matches", "bia", "--json");
  expect(JSON.parse(json.split("\n")[0] ?? "")).toEqual({
    ...{ user: "bia", rating: 1_216, won: 1, lost: 0, drawn: 0 },
  });
  expect((await as("ana", "ranking")).stdout).toMatch(/^1\. bia: .*\n2\. ana: .*\n$/);
  const portuguese = await as("ana", "ranking", "--lang", "pt-br");
  expect(portuguese.stdout).toContain("1. bia: 1216 pontos; vitórias: 1");
});

test("[Q22] `matches void` wants the cluster's secret if there are no accounts, and its argument is the id of a match", async () => {
  const end = ["matches", "void", idOf(2)];
  const refused = await as("ana", ...end, "--data", `${commands.cluster.folder}/none`);
  expect(refused).toEqual({ code: 1, stdout: "", stderr: "tertulia: You may not do that.\n" });
  expect((await as("ana", "matches", "void", "2")).code).toBe(2);
  expect(await as("ana", ...end)).toMatchObject({ code: 0 });
  expect((await as("ana", "matches")).stdout).not.toContain("open, term 1");
});

test("[Q24] `cards deck` chooses a deck, which `cards` shows", async () => {
  const { stdout } = await as("ana", "shop", "buy", "basic", "--json");
  const cards = stdout.trim().split("\n");
  const list = cards.map((line) => JSON.parse(line).card).join(",");
  expect(await as("ana", "cards", "deck", list)).toMatchObject({
    code: 0,
    stderr: "Your deck has 5 cards.\n",
  });
  expect((await as("ana", "cards")).stdout).toContain(`Deck: ${list.replaceAll(",", ", ")}\n`);
  expect((await as("ana", "cards", "deck", "wolf-common-1")).code).toBe(1);
});
