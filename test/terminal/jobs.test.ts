import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { parseChannelName } from "../../src/protocol/ids.ts";
import { until } from "../support/until.ts";
import { join, restartMs, scene } from "./scene.ts";
import { hasTmux, type Terminal, why } from "./tmux-terminal.ts";

/** Waits until the shell has the terminal back, in its usual mode. */
async function stopped(terminal: Terminal): Promise<void> {
  await terminal.shows("Stopped");
  terminal.enter("stty -a | grep -ow -e '-*icanon'");
  await terminal.shows("\nicanon");
}

async function sentToBackground(terminal: Terminal): Promise<void> {
  terminal.enter("clear; echo the-shell-is-$((40 + 2)); bg");
  await until(() => !terminal.screen.includes("Stopped"), "it goes on");
  await waitsInBackground(terminal);
  expect(terminal.screen).toContain("the-shell-is-42");
}

/**
 * Waits until the system has stopped the job, then presses Enter until the shell reports this,
 * which it does only at a prompt. Each prompt moves the first lines up, so none is made too early.
 */
async function waitsInBackground(terminal: Terminal): Promise<void> {
  await until(() => {
    if (!isStopped(terminal.pid)) return false;
    terminal.keys("Enter");
    return terminal.screen.includes("Stopped");
  }, "it waits in the background");
}

/** Whether the process is stopped by a signal such as SIGTSTP or SIGTTOU. */
function isStopped(pid: number): boolean {
  return execFileSync("ps", ["-o", "stat=", "-p", String(pid)])
    .toString()
    .startsWith("T");
}

describe.skipIf(!hasTmux)(`chat, menu and commands as jobs of a shell${why}`, () => {
  const place = scene({ servers: 1 });

  test.each(["Ctrl-Z", "SIGTSTP"] as const)(
    "%s stops the chat and returns the terminal to the shell, and fg draws the whole chat again",
    async (way) => {
      const ana = place.chat("ana", { isJob: true });
      await join(ana, "geral");
      ana.types("begun before");
      await ana.shows("› begun before");
      if (way === "Ctrl-Z") ana.keys("C-z");
      else process.kill(ana.pid, way);
      await ana.shows("Stopped");
      ana.enter("stty -a | grep -ow -e '-*icanon'");
      await ana.shows("\nicanon");
      expect(ana.screen).not.toContain("› begun before");
      ana.resize(90, 20);
      ana.enter("fg");
      await ana.shows("› begun before");
      expect(ana.screen).toContain("#geral");
      ana.types(" and behind");
      await ana.shows("› begun before and behind");
      ana.keys("Enter");
      await ana.shows("begun before and behind ✓", restartMs);
    },
    2 * restartMs,
  );

  test("a chat in the background does not write on the shell's screen, and fg draws the chat again", async () => {
    const ana = await place.chatIn("praia", "ana", { isJob: true });
    ana.types("begun before");
    await ana.shows("› begun before");
    ana.keys("C-z");
    await stopped(ana);
    await sentToBackground(ana);
    await place.zoe.publish(parseChannelName("praia"), "said meanwhile");
    ana.enter("fg");
    await ana.shows("› begun before");
    await ana.shows("zoe  said meanwhile");
    ana.keys("Enter");
    await ana.shows("begun before ✓", restartMs);
  }, 60_000);

  test("a chat started in the background writes nothing until fg brings it to the foreground", async () => {
    const ana = place.run(`chat --user ana ${place.endpoints} &`, { isJob: true });
    await ana.shows("[1] ");
    await waitsInBackground(ana);
    // The waiting chat has not overwritten the shell's first line.
    expect(ana.screen).toContain("[1] ");
    ana.enter("fg");
    await ana.shows("ana · connected");
  }, 60_000);

  describe.each(["fg", "bg and fg"])("a job that Ctrl-Z stops and %s resumes", (way) => {
    async function stopAndGoOn(terminal: Terminal): Promise<void> {
      terminal.keys("C-z");
      await stopped(terminal);
      if (way === "bg and fg") await sentToBackground(terminal);
      terminal.enter("clear; fg");
    }

    test("the menu keeps a begun answer when its job is stopped and resumed", async () => {
      const begun = `new-${way.replaceAll(" ", "-")}`;
      const menu = place.run(`menu --user caio ${place.endpoints}`, { isJob: true });
      await menu.answers("7) Quit", "2");
      await menu.shows("What would you like to do? 2");
      await stopAndGoOn(menu);
      await menu.answers("What would you like to do? 2", "Enter");
      await menu.answers("? Name of the new channel", begun);
      await menu.shows(`channel ${begun}`);
      await stopAndGoOn(menu);
      await menu.answers(`? Name of the new channel ${begun}`, "s", "Enter");
      await menu.shows(`The channel #${begun}s has been created.`);
      await menu.answers("7) Quit", "4", "Enter");
      await menu.shows("❯ geral");
      await stopAndGoOn(menu);
      await menu.answers("❯ geral", "Enter");
      await menu.shows("You are in #geral.");
      await menu.answers("7) Quit", "7", "Enter");
      await menu.shows("Goodbye.");
    }, 60_000);

    test("a password is read as a whole if its command's job is stopped and resumed while the person types", async () => {
      const register = place.run(`register caio ${place.endpoints}`, { isJob: true });
      await register.answers("New password:", "half of ");
      await stopAndGoOn(register);
      await register.answers("New password:", "it", "Enter");
      await register.answers("Once more:", "half of it", "Enter");
      await register.shows("tertulia: ");
      expect(register.screen).not.toContain("differ");
    }, 60_000);
  });
});
