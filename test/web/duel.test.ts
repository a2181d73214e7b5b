import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { UserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { LinePlayer } from "../support/match-doors.ts";
import { expectWhole } from "../support/match-player.ts";
import { until } from "../support/until.ts";
import { hasBrowser, inBrowser, People, type Person } from "./people.ts";

const rounds = 5;

/** What ana is told, by the winner. */
const sentences = new Map<string | undefined, string>([
  ["ana", "You have won!"],
  ["bia", "You have lost."],
]);

describe.skipIf(!hasBrowser)(inBrowser("the page about matches on a cluster"), () => {
  let cluster: LocalCluster;
  let people: People;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ gateways: 1, games: 2 });
    people = await People.start(cluster.endpoints.http);
  }, 60_000);
  afterAll(async () => {
    await people?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  }, 30_000);

  /** Keeps a picture of what a person sees, for people to look at. */
  async function picture({ page }: Person, name: string): Promise<void> {
    const folder = process.env.TERTULIA_PICTURES ?? tmpdir();
    await page.screenshot({ path: join(folder, `duel-page-${name}.png`) });
  }

  /** Logs a person in to the chat, and opens the page about matches. */
  async function player(name: string): Promise<Person> {
    const person = await people.enter(name, { viewport: { width: 1_000, height: 900 } });
    await person.page.goto(`${cluster.endpoints.http}/duel`);
    await person.page.getByRole("heading", { name: "Clash" }).waitFor();
    return person;
  }

  test("[G58] a person in the page plays a clash against one at a terminal from the lobby to the result", async () => {
    const ana = await player("ana");
    const { page } = ana;
    await picture(ana, "lobby");
    await page.getByRole("button", { name: /^Clash: / }).click();
    await page.getByRole("timer").waitFor();
    const choice = { type: "ready", pack: "basic" } as const;
    using bia = new LinePlayer(cluster, { user: "bia", choice });
    await page
      .getByRole("heading", { name: "ana against bia" })
      .or(page.getByRole("heading", { name: "bia against ana" }))
      .waitFor();
    await page.getByRole("button", { name: /basic/ }).click();
    const hand = page.getByRole("list", { name: "Your hand" }).getByRole("button");
    for (let round = 1; round <= rounds; round += 1) {
      await page.getByText(`round ${round}`, { exact: true }).waitFor();
      await page.getByText("your move").waitFor();
      expect(await hand.count()).toBe(rounds + 1 - round);
      if (round === 3) {
        await bia.hasEnded(2);
        await page.getByRole("img", { name: "bia: a card, face down" }).waitFor();
        await picture(ana, "table");
      }
      // By the mouse, by a key, and by Enter.
      if (round % 3 === 0) await hand.first().click();
      else if (round % 3 === 1) await page.keyboard.press("1");
      else await hand.first().press("Enter");
      await bia.hasEnded(round);
    }
    const result = page.getByRole("heading", { name: /You have won!|You have lost\.|A draw\./ });
    await result.waitFor();
    await picture(ana, "result");
    await bia.isOver();
    expectWhole(bia.seen);
    expect(await bia.ended()).toBe(0);
    const { over, players } = bia.seen.view ?? {};
    const winner = over?.winner == null ? undefined : players?.[over.winner].user;
    const told = sentences.get(winner) ?? "A draw.";
    expect(await result.textContent()).toBe(told);
    const session = cluster.client();
    const isRated = async () => {
      const asked = { user: "ana" as UserName };
      const { ended, open } = await session.ask("match", asked, { consistency: "now" });
      return ended.length === 1 && open === undefined;
    };
    await until(isRated, "the match counts");
    expect(ana.errors).toEqual([]);
  }, 60_000);
});
