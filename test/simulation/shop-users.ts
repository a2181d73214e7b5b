import { type CardId, type PackName, packNames, packs } from "../../src/protocol/cards.ts";
import type { Envelope, ReplyData, Request } from "../../src/protocol/client-messages.ts";
import type { RequestId, UserName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { assertPromise } from "../support/check-promises.ts";
import type { CoreCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";

type ShopRequest = Request & { service: "buy" | "offer" | "trade" };
/** What a request says, without the fields of every request. */
type Content = ShopRequest extends infer R
  ? R extends unknown
    ? Omit<R, keyof Envelope>
    : never
  : never;

interface Offer {
  readonly trade: number;
  readonly by: UserName;
  readonly to: UserName;
  readonly give: readonly CardId[];
  readonly want: readonly CardId[];
}

interface Closed {
  readonly slot: number;
  readonly offer: Offer;
  readonly isAccepted: boolean;
}

/**
 * Checks what users were told of their purchases and exchanges against a sequential shop: each card is
 * sold once, each buyer pays once, an offer ends once, and cards change owners in the order of slots.
 */
class ShopModel {
  readonly #buyers = new Map<CardId, UserName>();
  readonly #paid = new Map<UserName, number>();
  readonly offers: Offer[] = [];
  readonly #closed: Closed[] = [];

  get sold(): readonly CardId[] {
    return [...this.#buyers.keys()];
  }

  buyerOf(card: CardId): UserName | undefined {
    return this.#buyers.get(card);
  }

  cardsOf(user: UserName): CardId[] {
    return this.sold.filter((card) => this.#buyers.get(card) === user);
  }

  bought(user: UserName, pack: PackName, cards: readonly CardId[]): void {
    const paid = (this.#paid.get(user) ?? 0) + packs[pack].price;
    this.#paid.set(user, paid);
    assertPromise(paid <= limits.firstCoins, "D5", `${user} has bought packs for ${paid} coins`);
    assertPromise(cards.length === 5, "D5", `${user} bought ${cards.length} cards`);
    for (const card of cards) {
      const other = this.#buyers.get(card);
      assertPromise(other === undefined, "D5", `${card} was sold to ${other} and to ${user}`);
      this.#buyers.set(card, user);
    }
  }

  close(closed: Closed): void {
    this.#closed.push(closed);
  }

  /** Checks, when all faults are over, what a replica has; all replicas are equal (R4). */
  check(server: VirtualServer | undefined): void {
    if (server === undefined) return;
    const rows = rowsOf(server);
    const owners = this.#exchanged();
    const owned = rows.filter(({ operation }) => operation === "card");
    const told = `${owned.length} cards have owners, and ${owners.size} were sold`;
    assertPromise(owned.length === owners.size, "D5", told);
    for (const { card, owner } of owned) {
      const right = owners.get(card as CardId);
      assertPromise(owner === right, "D5", `${card} belongs to ${owner}, and not to ${right}`);
    }
    for (const row of rows) {
      if (row.operation !== "wallet") continue;
      const coins = limits.firstCoins - (this.#paid.get(row.user as UserName) ?? 0);
      assertPromise(
        row.coins === coins,
        "D5",
        `${row.user} has ${row.coins} coins and not ${coins}`,
      );
    }
  }

  /** Returns the owners after all exchanges, one after the other in the order of their slots. */
  #exchanged(): Map<CardId, UserName> {
    const owners = new Map(this.#buyers);
    const ended = new Set<number>();
    // Those of one slot come in the order in which they can be made.
    const left = [...this.#closed].sort((a, b) => a.slot - b.slot);
    const isPossible = ({ offer: { by, to, give, want }, isAccepted }: Closed) => {
      const own = (user: UserName, cards: readonly CardId[]) =>
        cards.every((card) => owners.get(card) === user);
      return !isAccepted || (own(by, give) && own(to, want));
    };
    while (left.length > 0) {
      const [first] = left;
      const at = left.findIndex((one) => one.slot === first?.slot && isPossible(one));
      const { slot, offer, isAccepted } = left[at] ?? (first as Closed);
      const { trade, by, to } = offer;
      const told = `offer ${trade} of ${by} to ${to}, in slot ${slot}`;
      assertPromise(at >= 0, "D5", `a card had another owner at ${told}`);
      assertPromise(!ended.has(trade), "D5", `it ended twice: ${told}`);
      left.splice(at, 1);
      ended.add(trade);
      if (!isAccepted) continue;
      for (const card of offer.give) owners.set(card, to);
      for (const card of offer.want) owners.set(card, by);
    }
    return owners;
  }
}

interface Asked {
  readonly request: ShopRequest;
}

/** Users who buy packs and exchange cards at any server, and ask again until they are answered. */
export class ShopUsers {
  readonly #cluster: CoreCluster;
  readonly #model = new ShopModel();
  readonly #open = new Map<UserName, Asked>();
  /** The highest slot that each user was told of. */
  readonly #slots = new Map<UserName, number>();
  #count = 0;
  #isStopped = false;

  constructor(cluster: CoreCluster, users: number) {
    this.#cluster = cluster;
    for (let number = 1; number <= users; number += 1) this.#enter(`buyer${number}` as UserName);
  }

  get isAnswered(): boolean {
    return this.#open.size === 0;
  }

  stop(): void {
    this.#isStopped = true;
  }

  check(server: VirtualServer | undefined): void {
    this.#model.check(server);
  }

  /** Logs a user in, again until a server has done it. */
  #enter(user: UserName): void {
    const { servers, time } = this.#cluster;
    const server = this.#pick(servers.filter(({ inRotation }) => inRotation));
    const login = { service: "login", user, clock: 0, timestamp: undefined, after: {} } as const;
    let isDone = false;
    if (server !== undefined) {
      this.#cluster.askParsed(server, { ...login, id: user as string as RequestId }, (data) => {
        if (data.status !== "erro" && !isDone) this.#act(user);
        isDone ||= data.status !== "erro";
      });
    }
    time.after(2_500, () => {
      if (!isDone && !this.#isStopped) this.#enter(user);
      isDone = true;
    });
  }

  #act(user: UserName): void {
    if (this.#isStopped) return;
    this.#count += 1;
    const envelope = { id: `shop-${this.#count}` as RequestId, clock: 0, timestamp: undefined };
    const sinceSlot = this.#slots.get(user) ?? 0;
    const asked: Asked = { request: { ...envelope, sinceSlot, after: {}, ...this.#next(user) } };
    this.#open.set(user, asked);
    this.#send(user, asked);
  }

  #next(user: UserName): Content {
    const { random } = this.#cluster;
    const chance = random();
    // Few cards, so that many offers are for the same ones.
    const own = this.#pick(this.#model.cardsOf(user).slice(0, 2));
    const others = this.#model.sold
      .slice(0, 20)
      .filter((card) => this.#model.buyerOf(card) !== user);
    const other = this.#pick(others);
    const offer = this.#pick(this.#model.offers.slice(-8));
    if (chance < 0.4 && own !== undefined && other !== undefined) {
      const to = this.#model.buyerOf(other) as UserName;
      return { service: "offer", user, to, give: [own], want: [other] };
    }
    if (chance < 0.7 && offer !== undefined) {
      return { service: "trade", user, trade: offer.trade, isAccepted: random() < 0.8 };
    }
    return { service: "buy", user, pack: this.#pick(packNames) as PackName };
  }

  #send(user: UserName, asked: Asked): void {
    const { random, servers, time, network } = this.#cluster;
    if (this.#open.get(user) !== asked) return;
    const server = this.#pick(servers.filter(({ inRotation }) => inRotation));
    if (server !== undefined) {
      this.#cluster.askParsed(server, asked.request, (data) => {
        // The reply is lost if the server's connection to the broker breaks at this moment.
        if (random() >= network.loss) time.after(1, () => this.#take(user, asked, data));
      });
    }
    time.after(20 + Math.floor(1_500 * random()), () => this.#send(user, asked));
  }

  #take(user: UserName, asked: Asked, data: ReplyData): void {
    this.#slots.set(user, Math.max(this.#slots.get(user) ?? 0, data.slot ?? 0));
    if (this.#open.get(user) !== asked || (data.status === "erro" && data.retry === true)) return;
    this.#open.delete(user);
    if (data.status !== "erro") this.#record(user, asked, data);
    this.#cluster.time.after(1 + Math.floor(300 * this.#cluster.random()), () => this.#act(user));
  }

  #record(user: UserName, { request }: Asked, data: ReplyData): void {
    if (request.service === "buy") {
      this.#model.bought(user, request.pack, data.cards as CardId[]);
    } else if (request.service === "offer") {
      const { to, give, want } = request;
      this.#model.offers.push({ trade: data.trade as number, by: user, to, give, want });
    } else {
      const offer = this.#model.offers.find(({ trade }) => trade === request.trade) as Offer;
      this.#model.close({ slot: data.slot as number, offer, isAccepted: request.isAccepted });
    }
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#cluster.random() * list.length)];
  }
}

function rowsOf({ core }: VirtualServer): Record<string, unknown>[] {
  return [...core.checkpoint().rows].map((row) => JSON.parse(row) as Record<string, unknown>);
}
