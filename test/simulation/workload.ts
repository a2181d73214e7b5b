import type { Receipt, ReplyData, Request } from "../../src/protocol/client-messages.ts";
import type { ChannelName, RequestId, UserName } from "../../src/protocol/ids.ts";
import type { ChannelEntry } from "../../src/protocol/publications.ts";
import {
  covers,
  type MutableVector,
  raise,
  slotKey,
  type Vector,
} from "../../src/protocol/vector.ts";
import { assertPromise } from "../support/check-promises.ts";
import type { CoreCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import { checkHistory } from "./check-history.ts";
import { checkHooks, HookUser } from "./hook-user.ts";
import type { LogModel } from "./log-model.ts";
import { NamesModel } from "./names-model.ts";
import { Operator } from "./operator.ts";

const channel = "geral" as ChannelName;

/** A logical request, which has the same id however often it is sent. */
interface Asked {
  readonly request: Request;
  /** The client's messages that were acknowledged before it sent this request. */
  readonly mine: readonly string[];
  /** The highest slot that anybody had been told of when the request was first sent. */
  readonly toldBefore: number;
}

interface WorkloadOptions {
  readonly clients: number;
  /** The share of requests that claim a name or log in. */
  readonly claims: number;
  /** Whether clients sometimes send two contents under one id. */
  readonly reusesIds: boolean;
  readonly log: LogModel;
  /** Whether clients also have operations decided that nobody but the log knows, in bursts. */
  readonly operates: boolean;
  /** Whether clients also make and use hooks. */
  readonly usesHooks: boolean;
  /** Whether the state keeps all messages of the run, so that every message must be shown. */
  readonly keepsAll: boolean;
  /** The most milliseconds between a client's requests. */
  readonly paceMs: number;
  /** The most milliseconds that a client waits for an answer before it asks again. */
  readonly patienceMs: number;
}

/** Clients that write, read, and retry at any server in the rotation. */
export class Workload {
  /** The texts of acknowledged publications. */
  readonly acknowledged = new Set<string>();
  readonly claims = new NamesModel();
  /** The number of claims that were made. */
  claimed = 0;
  lastClaimed: { readonly user: UserName; readonly id?: RequestId } = {
    user: "konto0" as UserName,
  };
  readonly #cluster: CoreCluster;
  readonly #options: WorkloadOptions;
  readonly #clients: Client[];

  constructor(cluster: CoreCluster, options: WorkloadOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#clients = Array.from({ length: options.clients }, (_, at) => {
      return new Client(`user${at + 1}`, this, { cluster, plain: at % 3 === 2, ...options });
    });
  }

  get isAnswered(): boolean {
    return this.#clients.every(({ open }) => open === 0);
  }

  /** Creates the users and the channel, before any fault. */
  begin(): void {
    const [first] = this.#clients;
    first?.create();
    for (const client of this.#clients) client.login();
    this.#cluster.runUntil(() => this.isAnswered, "the users and the channel are there");
    for (const client of this.#clients) client.run();
  }

  stop(): void {
    for (const client of this.#clients) client.isStopped = true;
  }

  /** Checks the history at the end: each message once, and all acknowledged messages (R5, R6). */
  checkHistory(server: VirtualServer): void {
    const acknowledged = this.#options.keepsAll ? this.acknowledged : [];
    checkHistory(this.#cluster, server, { channel, acknowledged });
  }
}

class Client {
  isStopped = false;
  readonly #user: UserName;
  readonly #workload: Workload;
  readonly #options: WorkloadOptions & { cluster: CoreCluster; plain: boolean };
  readonly #seen: MutableVector = {};
  readonly #mine = new Set<string>();
  readonly #open = new Set<Asked>();
  readonly #hooks: HookUser;
  readonly #operator: Operator;
  /** The ids under which two contents were sent. */
  readonly #reused = new Set<RequestId>();
  #count = 0;

  constructor(
    name: string,
    workload: Workload,
    options: WorkloadOptions & { cluster: CoreCluster; plain: boolean },
  ) {
    this.#user = name as UserName;
    this.#hooks = new HookUser(this.#user, channel, options.cluster.random);
    this.#operator = new Operator(`${name}-op` as UserName, options);
    this.#workload = workload;
    this.#options = options;
  }

  get open(): number {
    return this.#open.size + this.#operator.open;
  }

  login(): void {
    this.#ask({ service: "login", user: this.#user, ...this.#envelope() });
  }

  create(): void {
    this.#ask({ service: "channel", channel, user: this.#user, ...this.#envelope() });
  }

  run(): void {
    const { cluster, paceMs } = this.#options;
    if (this.isStopped) return;
    if (this.#open.size < 8) this.#act();
    cluster.time.after(1 + Math.floor(cluster.random() * paceMs), () => this.run());
  }

  #act(): void {
    const { cluster, plain, claims } = this.#options;
    if (this.#options.operates && cluster.random() < 0.3) return this.#operator.operate();
    if (cluster.random() < claims) return this.#claim();
    const chance = cluster.random();
    if (chance < 0.7) return this.#publish();
    if (chance < 0.8) return this.#message();
    if (chance < 0.84) return this.login();
    if (chance < 0.86) {
      const name = `canal${Math.floor(cluster.random() * 3)}` as ChannelName;
      return this.#ask({
        service: "channel",
        channel: name,
        user: this.#user,
        ...this.#envelope(),
      });
    }
    if (this.#options.usesHooks && chance < 0.95) {
      const envelope = this.#envelope();
      return this.#ask({ ...envelope, ...this.#hooks.next(this.#count) });
    }
    if (chance < 0.9) return this.#readAsOfNow();
    if (!plain) this.#read();
  }

  /**
   * Publishes a message, and sometimes a second content under the same id, as two programs with
   * equal numbering would.
   */
  #publish(): void {
    const message = `${this.#user} says ${this.#count}`;
    const asked = { service: "publish", user: this.#user, channel, ...this.#envelope() } as const;
    this.#ask({ ...asked, message });
    if (!this.#options.reusesIds || this.#count % 8 !== 0) return;
    this.#reused.add(asked.id);
    this.#ask({ ...asked, message: `${message}, and something else` });
  }

  /**
   * Claims a name that others claim too, or one that looks the same. Sometimes logs in by such a
   * name instead, or repeats a claim with another password.
   */
  #claim(): void {
    const workload = this.#workload;
    const { random } = this.#options.cluster;
    const chance = random();
    const { user, id } = workload.lastClaimed;
    const envelope = this.#envelope();
    // A login follows a claim at once, at any server. A login by an unclaimed name is rare, because
    // nobody may claim the name after it.
    if (chance < 0.4) {
      if (!this.#isClaimed(user) && random() < 0.9) return;
      return this.#ask({ service: "login", user, ...envelope });
    }
    if (chance < 0.5 && id !== undefined) {
      return this.#ask({ ...envelope, service: "register", user, password: "gestohlen", id });
    }
    // Old names are claimed again, so that claims compete, and new names are always added.
    const number = Math.floor(workload.claimed / 10 + random() * 6);
    const name = `${random() < 0.3 ? "Konto" : "konto"}${number}` as UserName;
    workload.claimed += 1;
    workload.lastClaimed = { user: name, id: envelope.id };
    this.#ask({ service: "register", user: name, password: "geheim", ...envelope });
  }

  #isClaimed(user: UserName): boolean {
    const { servers } = this.#options.cluster;
    return servers.some(({ core }) => core.accounts.owner(user) !== undefined);
  }

  #message(): void {
    const dst = `user${1 + Math.floor(this.#options.cluster.random() * 3)}` as UserName;
    const message = `for ${dst}: ${this.#count}`;
    this.#ask({ service: "message", src: this.#user, dst, message, ...this.#envelope() });
  }

  #read(): void {
    this.#ask({
      service: "history",
      conversation: { channel },
      before: undefined,
      since: undefined,
      limit: 1_000,
      ...this.#envelope(),
      id: undefined,
    });
  }

  #readAsOfNow(): void {
    const envelope = { ...this.#envelope(), id: undefined };
    this.#ask({ service: "time", ...envelope, consistency: "now" });
  }

  #envelope() {
    this.#count += 1;
    const after: Vector | undefined = this.#options.plain ? undefined : { ...this.#seen };
    const id = `${this.#user}-${this.#count}` as RequestId;
    return { id, after, clock: 0, timestamp: undefined };
  }

  #ask(request: Request): void {
    const { log } = this.#options;
    const asked: Asked = { request, mine: [...this.#mine], toldBefore: log.highestTold };
    this.#hooks.sending(request);
    this.#open.add(asked);
    this.#send(asked);
  }

  /**
   * Sends to any server in the rotation, sometimes to two; sends again until a final answer comes.
   */
  #send(asked: Asked): void {
    const { cluster, patienceMs } = this.#options;
    if (!this.#open.has(asked)) return;
    const serving = cluster.servers.filter(({ inRotation }) => inRotation);
    const copies = cluster.random() < 0.1 ? 2 : 1;
    for (let copy = 0; copy < copies && serving.length > 0; copy += 1) {
      const server = serving[Math.floor(cluster.random() * serving.length)] as VirtualServer;
      this.#deliver(asked, server);
    }
    cluster.time.after(20 + Math.floor(cluster.random() * patienceMs), () => this.#send(asked));
  }

  #deliver(asked: Asked, server: VirtualServer): void {
    const { cluster } = this.#options;
    cluster.time.after(1 + Math.floor(cluster.random() * 3), () => {
      cluster.askParsed(server, asked.request, (data) => {
        // The reply is lost if the server's connection to the broker breaks at this moment.
        if (cluster.random() < cluster.network.loss) return;
        cluster.time.after(1, () => this.#take(asked, data));
      });
    });
  }

  #take(asked: Asked, data: ReplyData): void {
    if (data.status === "erro" && data.retry === true) return;
    const isFirst = this.#open.delete(asked);
    const { request, mine } = asked;
    if (request.service === "register") this.#noteClaim(request, data, asked.toldBefore);
    const { log } = this.#options;
    const { slot = 0 } = data;
    if (request.service === "time" && data.status !== "erro") {
      log.noteRead(slot, asked.toldBefore, data.server);
    }
    this.#hooks.take(request, data);
    if (data.code === "id_reused") {
      const isReused = this.#reused.has(request.id as RequestId);
      assertPromise(
        isReused,
        "R6",
        `${data.server} says ${request.id} was used for something else`,
      );
    }
    if (data.status === "erro") return;
    if (request.service === "login" && data.account !== undefined) {
      const id = data.account as RequestId;
      this.#workload.claims.grant({ name: request.user, id, byWhom: data.server });
    }
    const entry = data.entry as Receipt | undefined;
    if (entry !== undefined) raise(this.#seen, { [entry.server]: entry.seq });
    if (request.service !== "publish" && request.service !== "post") {
      if (request.service === "history") this.#checkRead(data, request, mine);
      return;
    }
    if (entry !== undefined) this.#checkReceipt(request, entry);
    if (isFirst) {
      this.#workload.acknowledged.add(request.message);
      this.#mine.add(request.message);
    }
  }

  /**
   * The receipt must name an event with the requested content, not another event with the same id
   * (R6).
   */
  #checkReceipt(
    { message }: Request & { service: "publish" | "post" },
    { server, seq, id }: Receipt,
  ): void {
    for (const { core, name } of this.#options.cluster.servers) {
      const events = core.chat.channels.get(channel)?.conversation.byServer.get(server)?.slice();
      const text = events?.find((event) => event.seq === seq)?.text ?? message;
      const told = `"${message}" has ${id} for a receipt, which at ${name} is "${text}"`;
      assertPromise(text === message, "R6", told);
    }
  }

  #noteClaim(
    { user, id, password }: Request & { service: "register" },
    data: ReplyData,
    toldBefore: number,
  ): void {
    const { claims } = this.#workload;
    const { slot = 0, server: byWhom } = data;
    if (data.status === "OK") {
      // A copy of the request may have been sent before.
      const operation = { by: user, id: id as RequestId };
      const before = password === "gestohlen" ? 0 : toldBefore;
      this.#options.log.tell({ operation, slot, outcome: "done", byWhom, toldBefore: before });
      raise(this.#seen, { [slotKey]: slot });
    }
    const told = { name: user, id: id as RequestId, password, byWhom: data.server };
    if (data.status === "OK") claims.tell({ ...told, what: "won" });
    else if (data.code === "name_taken") claims.tell({ ...told, what: "taken" });
    // Somebody has logged in by the name before anybody claimed it.
    else assertPromise(data.reason === "name_in_use", "D5", `it was answered ${data.code}`);
  }

  /** A reader that sends `after` must see its own writes, each once (R6, R9). */
  #checkRead(data: ReplyData, { after }: Request, mine: readonly string[]): void {
    const entries = data.entries as ChannelEntry[];
    checkHooks(entries, data.server);
    const texts = entries.map(({ message }) => message);
    const seen = new Set(texts);
    assertPromise(seen.size === texts.length, "R6", `${data.server} shows a message twice`);
    const { [slotKey]: slot = 0, ...events } = after ?? {};
    assertPromise((data.slot ?? 0) >= slot, "D8", `${data.server} has not applied slot ${slot}`);
    const isCovered = covers(data.seen as Vector, events);
    assertPromise(isCovered, "R9", `${data.server} shows less than its reader had seen`);
    if (!this.#options.keepsAll || after === undefined || data.next !== undefined) return;
    for (const text of mine) {
      assertPromise(seen.has(text), "R9", `${data.server} hides "${text}" from its writer`);
    }
  }
}
