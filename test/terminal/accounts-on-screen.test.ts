import { afterEach, describe, expect, test } from "vitest";
import { accountsScene } from "./accounts-scene.ts";
import { cliFile } from "./cli-process.ts";
import { closeTerminals, hasTmux, Terminal, why } from "./tmux-terminal.ts";

const place = accountsScene();

describe.skipIf(!hasTmux)(`the menu and accounts${why}`, () => {
  afterEach(closeTerminals);

  function open(...flags: string[]): Terminal {
    const settings = Object.entries(place.env).map(([name, value]) => `${name}='${value}'`);
    const command = [process.execPath, cliFile, "menu", ...flags].join(" ");
    return new Terminal(`LANG=C.UTF-8 ${settings.join(" ")} ${command}`);
  }

  test("the menu registers an account, and the person's next menu logs in without a password", async () => {
    const menu = open();
    await menu.answers("? Your name", "mara", "Enter");
    await menu.answers("? Who are you?", "2", "Enter");
    await menu.answers("? New password for mara", "mara's", "Enter");
    await menu.answers("? Once more", "mara's", "Enter");
    await menu.shows("Welcome, mara.");
    expect(menu.screen).not.toContain("mara's");
    menu.close();
    const again = open();
    await again.shows("Welcome, mara.");
    expect(again.screen).not.toContain("? Who are you?");
  }, 30_000);

  test("after a wrong password, the menu lets the person try again or use another name", async () => {
    expect(await place.run("register nina", "nina's\n")).toMatchObject({ code: 0 });
    const menu = open("--user", "nobody");
    await menu.answers("? Who are you?", "1", "Enter");
    await menu.answers("? Password for nobody", "x", "Enter");
    await menu.answers("The name or the password is wrong.\n? Password for nobody", "Enter");
    await menu.answers("3) Use another name", "3", "Enter");
    await menu.answers("? Your name", "nina", "Enter");
    await menu.answers("1) Log in as nina", "1", "Enter");
    await menu.answers("? Password for nina", "nina's", "Enter");
    await menu.shows("Welcome, nina.");
  }, 30_000);

  test("when a session has ended, the menu asks for the password and then completes the command", async () => {
    await place.account("olga");
    const menu = open();
    await menu.answers("7) Quit", "2", "Enter");
    await menu.answers("? Name of the new channel", "half-a-na");
    await place.changePassword("olga");
    await menu.answers(
      "because the password was changed. You will log in again with",
      "me",
      "Enter",
    );
    await menu.answers("? Password for olga", "olga's new", "Enter");
    await menu.shows("The channel #half-a-name has been created.");
    await menu.shows("7) Quit");
  }, 30_000);

  test("the menu says that the account was locked, and works again after the account is unlocked", async () => {
    await place.account("rita");
    const menu = open();
    await menu.shows("7) Quit");
    expect(await place.run("accounts lock rita", "", place.operator)).toMatchObject({ code: 0 });
    await menu.shows("An administrator has locked this account.\n? What would you like to do?");
    expect(await place.run("accounts unlock rita", "", place.operator)).toMatchObject({ code: 0 });
    menu.keys("1", "Enter");
    await menu.shows("  @rita");
  }, 30_000);

  test("if the cluster requires invitations, `register` fails without one and the menu asks for one", async () => {
    const { stdout } = await place.run(
      "accounts registration invitation --json",
      "",
      place.operator,
    );
    const { invitation } = JSON.parse(stdout) as { invitation: string };
    const refused = await place.run("register paulo", "paulo's\n");
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("invitation");
    const invited = { TERTULIA_INVITATION: invitation };
    expect(await place.run("register paulo", "paulo's\n", invited)).toMatchObject({ code: 0 });
    const menu = open("--user", "quito");
    await menu.answers("? Who are you?", "2", "Enter");
    await menu.answers("? New password for quito", "quito's", "Enter");
    await menu.answers("? Once more", "quito's", "Enter");
    await menu.answers("? Invitation from an administrator", invitation, "Enter");
    await menu.shows("Welcome, quito.");
    expect(await place.run("accounts registration open", "", place.operator)).toMatchObject({
      code: 0,
    });
  }, 30_000);
});

describe.skipIf(!hasTmux)(`the full-screen chat and accounts${why}`, () => {
  afterEach(closeTerminals);

  test("when a session has ended, the full-screen chat asks for the password and then sends the waiting text", async () => {
    await place.account("sara");
    expect(await place.run("create praia --user sara")).toMatchObject({ code: 0 });
    const settings = Object.entries(place.env).map(([name, value]) => `${name}='${value}'`);
    const command = `${settings.join(" ")} ${process.execPath} ${cliFile} chat`;
    const chat = new Terminal(`LANG=C.UTF-8 ${command}`);
    await chat.shows("sara · connected");
    chat.types("/join praia\r");
    await chat.shows("› #praia");
    chat.types("before\r");
    await chat.shows("before ✓");
    await place.changePassword("sara");
    chat.types("after\r");
    await chat.shows(
      "because the password was changed.\n? Password for sara (empty: quit the chat)",
    );
    chat.resize(50, 12);
    chat.types("sara's new\r");
    await chat.shows("after ✓");
    // At 50 columns, the chat shows no list of conversations.
    expect(chat.screen.split("\n")[0]).toMatch(/^#praia/);
    chat.types("/quit\r");
    await chat.shows("code 0\nicanon");
  }, 30_000);
});
