import { expect, test } from "vitest";
import { logIn } from "../../src/bot/log-in.ts";
import type { Session } from "../../src/client/session.ts";
import { ProtocolError, type RefusalReason } from "../../src/protocol/errors.ts";
import { parseUserName } from "../../src/protocol/ids.ts";

type Code = ConstructorParameters<typeof ProtocolError>[0];

/** A stand-in for a session: it keeps accounts and serves `login` and `register`. */
class Cluster {
  readonly asked: string[] = [];
  readonly #accounts: Map<string, string>;
  readonly #isOpen: boolean;
  readonly #invitation: string | undefined;

  constructor({ accounts = {}, isOpen = false, invitation = "" } = {}) {
    this.#accounts = new Map(Object.entries(accounts));
    this.#isOpen = isOpen;
    this.#invitation = invitation || undefined;
  }

  async login(name: string, password?: string): Promise<void> {
    this.asked.push(password === undefined ? "login" : "login by password");
    if (this.#isOpen) return;
    if (password === undefined) refuse("unauthenticated", "no_session");
    if (this.#accounts.get(name) !== password) refuse("unauthenticated", "password_wrong");
  }

  async register(name: string, password: string, invitation?: string): Promise<void> {
    this.asked.push("register");
    if (this.#invitation !== invitation) refuse("forbidden", "invitation_wanted");
    if (this.#accounts.has(name)) refuse("name_taken");
    this.#accounts.set(name, password);
  }
}

function refuse(code: Code, reason?: RefusalReason): never {
  throw new ProtocolError(code, "Refused.", { reason });
}

async function enter(cluster: Cluster, invitation?: string): Promise<number> {
  let asked = 0;
  const password = async () => {
    asked += 1;
    return "own";
  };
  await logIn(cluster as unknown as Session, {
    name: parseUserName("bot"),
    password,
    invitation,
  });
  return asked;
}

test("in an open cluster, a bot logs in by its name alone", async () => {
  const cluster = new Cluster({ isOpen: true });
  expect(await enter(cluster)).toBe(0);
  expect(cluster.asked).toEqual(["login"]);
});

test("in a cluster with accounts, a bot registers at its first start and logs in to this account afterwards", async () => {
  const cluster = new Cluster();
  await enter(cluster);
  expect(cluster.asked.slice(2)).toEqual(["register", "login by password"]);
  await enter(cluster);
  expect(cluster.asked.slice(4)).toEqual(["login", "login by password"]);
});

test("a bot registers with its invitation if the cluster requires one", async () => {
  await enter(new Cluster({ invitation: "welcome" }), "welcome");
  await expect(enter(new Cluster({ invitation: "welcome" }))).rejects.toMatchObject({
    code: "forbidden",
    retry: false,
    message: 'The account "bot" is not there or has another password. Refused.',
  });
});

test("a bot whose name belongs to another account fails with name_taken", async () => {
  const cluster = new Cluster({ accounts: { bot: "another's" } });
  await expect(enter(cluster)).rejects.toMatchObject({ code: "name_taken", retry: false });
});
