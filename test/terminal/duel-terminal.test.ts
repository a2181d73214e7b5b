import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LinePlayer } from "../support/match-doors.ts";
import { expectWhole } from "../support/match-player.ts";
import { scene } from "./scene.ts";
import { hasTmux, type Terminal, why } from "./tmux-terminal.ts";

/** What ana is told, by the winner. */
const sentences = new Map<string | undefined, string>([
  ["ana", "You have won!"],
  ["bia", "You have lost."],
]);

describe.skipIf(!hasTmux)(`a match on the screen of a terminal${why}`, () => {
  const place = scene({ games: 2 });

  /** Keeps what the screen shows, for people to look at. */
  async function kept(terminal: Terminal, name: string): Promise<void> {
    const folder = process.env.TERTULIA_PICTURES ?? tmpdir();
    await writeFile(join(folder, `duel-terminal-${name}.txt`), terminal.screen);
  }

  test("a person plays a clash at a terminal against one by lines, from waiting to the result, and gets the terminal back", async () => {
    const args = `duel --user ana --rules clash ${place.endpoints}`;
    const env = `TERTULIA_GAME=${place.cluster.endpoints.game}`;
    const ana = place.run(args, { columns: 100, rows: 30, env });
    await ana.shows("Looking for somebody to play with");
    await kept(ana, "waiting");
    using bia = new LinePlayer(place.cluster, { user: "bia" });
    await ana.shows("Choose your cards");
    await ana.shows("bia has chosen.");
    await kept(ana, "cards");
    ana.keys("1");
    for (let round = 1; round <= 5; round += 1) {
      await ana.shows(`Clash · round ${round}`);
      await ana.shows("a card, face down");
      await ana.shows("your move");
      if (round === 3) await kept(ana, "table");
      ana.keys(round % 2 === 0 ? "Enter" : "1");
      await bia.hasEnded(round);
    }
    await bia.isOver();
    expectWhole(bia.seen);
    expect(await bia.ended()).toBe(0);
    const { over, players } = bia.seen.view ?? {};
    const winner = over?.winner == null ? undefined : players?.[over.winner].user;
    await ana.shows(sentences.get(winner) ?? "A draw.");
    await ana.shows("Your rating: ");
    await kept(ana, "result");
    ana.keys("q");
    await ana.shows("code 0\nicanon");
  }, 60_000);
});
