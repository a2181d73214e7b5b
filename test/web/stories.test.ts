import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Session } from "../../src/client/session.ts";
import type { ChannelName, UserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { CliProcess, clusterVariables } from "../terminal/cli-process.ts";
import { allSee, goTo, hasBrowser, inBrowser, lines, People, type Person, say } from "./people.ts";

/** So few that a test can write more. */
const kept = 40;

describe.skipIf(!hasBrowser)(inBrowser("the page on a cluster"), () => {
  let cluster: LocalCluster;
  let people: People;
  let ana: Person;
  let bia: Person;
  let dora: Session;

  beforeAll(async () => {
    cluster = await LocalCluster.start({
      gateways: 1,
      settings: () => ({ TERTULIA_KEEP_PUBLICATIONS: String(kept) }),
    });
    people = await People.start(cluster.endpoints.http);
    dora = cluster.client();
    await dora.login("dora" as UserName);
    ana = await people.enter("ana");
    bia = await people.enter("bia");
  }, 60_000);
  afterAll(async () => {
    await people?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  }, 30_000);

  async function bothIn(channel: string): Promise<void> {
    await dora.createChannel(channel.slice(1) as ChannelName);
    for (const person of [ana, bia]) {
      await say(person, `/join ${channel}`);
      await person.page.getByRole("heading", { name: channel, exact: true }).waitFor();
      await person.page.getByText("the beginning").waitFor();
    }
  }

  test("[G31] two people in browsers and one in a terminal see each line of a channel once, in the same order", async () => {
    await bothIn("#geral");
    using caio = new CliProcess(
      ["chat", "--lines", "--user", "caio"],
      clusterVariables(cluster.endpoints),
    );
    caio.child.stdin.write("/join #geral\n");
    await caio.saw("You are in #geral");
    await say(ana, "good morning");
    await allSee([ana, bia], ["good morning"]);
    await say(bia, "first line\u2028second");
    caio.child.stdin.write("from a terminal\n");
    await until(async () => (await lines(ana)).length === 3, "all lines are there");
    const seen = await lines(ana);
    expect([...seen].sort()).toEqual([
      "first line<U+2028>second",
      "from a terminal",
      "good morning",
    ]);
    await allSee([bia], seen);
    await caio.saw("good morning");
  }, 60_000);

  test("[G31] a private message reaches only its two people, counts as unread, and is read by opening it", async () => {
    await say(bia, "/msg ana only for you");
    const row = ana.page.getByRole("button", { name: /bia.*unread: 1/ });
    await row.click();
    await allSee([ana], ["only for you"]);
    await ana.page.getByRole("button", { name: /^(online|offline) bia$/ }).waitFor();
    await say(ana, "I see");
    await goTo(bia, "@ana");
    await allSee([ana, bia], ["only for you", "I see"]);
  }, 60_000);

  test("[G31] a mention is counted, marked, and told in the title of the page", async () => {
    await goTo(bia, "#geral");
    await goTo(ana, "@bia");
    await say(bia, "@ana, are you there?");
    await ana.page.getByRole("button", { name: /geral.*mentions: 1.*unread: 1/ }).waitFor();
    await until(async () => (await ana.page.title()) === "(1) Tertulia", "the title counts");
    await goTo(ana, "#geral");
    expect(await ana.page.locator("mark").allInnerTexts()).toEqual(["@ana"]);
    await until(async () => (await ana.page.title()) === "Tertulia", "nothing is unread");
  }, 60_000);

  test("[G34] a gateway that is killed in mid-conversation loses no line and doubles none", async () => {
    await bothIn("#kill");
    const wanted: string[] = [];
    for (let number = 1; number <= 8; number += 1) {
      if (number === 4) cluster.of("gateway")[0]?.signal("SIGKILL");
      wanted.push(`line ${number}`);
      const writer = number % 2 === 0 ? bia : ana;
      await say(writer, `line ${number}`);
      // The next line must not overtake this one, because two people write in turn.
      const stored = writer.page.locator(".message:not(.is-pending)");
      await stored.filter({ hasText: `line ${number}` }).waitFor({ timeout: 30_000 });
    }
    await allSee([ana, bia], wanted);
  }, 90_000);

  test("[G34] all servers are restarted under an open page, and the conversation goes on", async () => {
    await bothIn("#restart");
    await say(ana, "before");
    await allSee([ana, bia], ["before"]);
    const pids = cluster.of("server").map(({ pid }) => pid);
    for (const server of cluster.of("server")) server.signal("SIGKILL");
    await say(ana, "during");
    await until(
      () => cluster.of("server").every(({ pid }, at) => pid !== undefined && pid !== pids[at]),
      "all servers run again",
      30_000,
    );
    await allSee([ana, bia], ["before", "during"]);
    await say(bia, "after");
    await allSee([ana, bia], ["before", "during", "after"]);
  }, 90_000);

  test("[G32] three messages written offline survive a reload of the page, and each is sent once", async () => {
    await bothIn("#outbox");
    await say(ana, "online");
    await allSee([ana, bia], ["online"]);
    await ana.page.context().setOffline(true);
    await ana.page.getByText("This device is offline").waitFor();
    await ana.page.getByText(/Next try in \d+ s/).waitFor();
    for (const line of ["one", "two", "three"]) await say(ana, line);
    await until(async () => (await ana.page.locator(".is-pending").count()) === 3, "three wait");
    // A second tab has the same outbox, and only one of them sends.
    await ana.page.context().setOffline(false);
    await ana.page.reload();
    const second = await people.tab(ana);
    await goTo(second, "#outbox");
    await allSee([ana, second, bia], ["online", "one", "two", "three"]);
    await until(async () => (await ana.page.locator(".is-pending").count()) === 0, "none waits");
    await second.page.close();
  }, 60_000);

  test("[G33] the page connects at once when the network returns, whatever the next try", async () => {
    await ana.page.context().setOffline(true);
    await ana.page.getByText(/Next try in ([5-9]|1\d) s/).waitFor({ timeout: 60_000 });
    await ana.page.context().setOffline(false);
    await ana.page.getByText("Next try").waitFor({ state: "detached", timeout: 3_000 });
  }, 90_000);

  test("[G31] two tabs of one person show each line once, and what one has read is read in both", async () => {
    await bothIn("#tabs");
    const second = await people.tab(ana);
    await goTo(second, "#tabs");
    await say(ana, "from the first tab");
    await allSee([ana, second, bia], ["from the first tab"]);
    await say(second, "from the second tab");
    const both = ["from the first tab", "from the second tab"];
    await allSee([ana, second, bia], both);
    await goTo(second, "#geral");
    await goTo(ana, "#geral");
    await say(bia, "news");
    const unread = (tab: Person) => tab.page.getByRole("button", { name: /tabs.*unread: 1/ });
    await unread(ana).waitFor();
    await unread(second).waitFor();
    await goTo(ana, "#tabs");
    await unread(second).waitFor({ state: "detached" });
    await second.page.close();
  }, 60_000);

  test("[G34] a page that was away for longer than the servers keep messages marks the place of the gap", async (context) => {
    context.skip(LocalCluster.hasEngine, "an engine keeps all messages");
    await bothIn("#full");
    await say(ana, "before");
    await allSee([ana, bia], ["before"]);
    await bia.page.context().setOffline(true);
    await bia.page.getByText("This device is offline").waitFor();
    for (let number = 1; number <= kept + 10; number += 1) {
      await dora.publish("full" as ChannelName, `line ${number}`);
    }
    await bia.page.context().setOffline(false);
    await bia.page.getByText("Messages are missing here").waitFor();
    await until(async () => (await lines(bia)).at(-1) === `line ${kept + 10}`, "the newest came");
    expect(await lines(bia)).toHaveLength(1 + kept);
  }, 60_000);

  test("[G31] older messages come while the person scrolls up, until the beginning", async () => {
    await say(ana, "/msg dora hello");
    await goTo(ana, "@dora");
    await allSee([ana], ["hello"]);
    await ana.page.locator(".is-pending").waitFor({ state: "detached" });
    for (let number = 1; number <= 150; number += 1) {
      await dora.message("ana" as UserName, `note ${number}`);
    }
    const fresh = await people.enter("ana");
    await goTo(fresh, "@dora");
    await fresh.page.getByText("note 150").waitFor();
    const log = fresh.page.getByRole("log");
    await log.focus();
    await until(
      async () => {
        await log.press("Home");
        return (await fresh.page.getByText("the beginning").count()) > 0;
      },
      "the beginning is there",
      30_000,
    );
    const wanted = ["hello", ...Array.from({ length: 150 }, (_, at) => `note ${at + 1}`)];
    await until(async () => (await lines(fresh)).length === wanted.length, "all are there");
    expect(await lines(fresh)).toEqual(wanted);
    await fresh.page.context().close();
  }, 60_000);

  test("[G59] /search shows what is found in the open conversation, and what the person sees stays as it was", async () => {
    await bothIn("#search");
    for (const text of ["a needle", "hay", "Needle & <b>hay</b>"]) await say(ana, text);
    const said = ["a needle", "hay", "Needle & <b>hay</b>"];
    await allSee([ana, bia], said);
    await say(bia, "/search needle");
    const notice = bia.page.locator(".notice").filter({ hasText: "Found in #search (2): needle" });
    await notice.waitFor();
    const [text = ""] = await notice.allInnerTexts();
    expect(text.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /gm, "")).toBe(
      "Found in #search (2): needle\nana: a needle\nana: Needle & <b>hay</b>",
    );
    await say(bia, "/msg ana needle in private");
    await goTo(bia, "@ana");
    await say(bia, '/search "needle in"');
    await bia.page.getByText('Found in @ana (1): "needle in"').waitFor();
    await goTo(bia, "#search");
    expect(await lines(bia)).toEqual(said);
  }, 60_000);

  test("[G31] after all stories no page has reported an error", () => {
    expect([...ana.errors, ...bia.errors]).toEqual([]);
  });
});
