import { ProtocolError } from "../../protocol/errors.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { Trace } from "../../protocol/steps.ts";
import { nowMs, randomHex } from "./browser.ts";
import { type ClusterModel, nothingSeen, seen } from "./core/cluster-model.ts";
import type { GatewayApi } from "./gateway-api.ts";

const everyMs = 500;
/** The number of a channel's newest messages from which the person chooses. */
const newestMessages = 8;

/** Looks at the cluster twice a second, while the page is visible. */
export class ClusterWatch {
  readonly #api: GatewayApi;
  readonly #onChange: (model: ClusterModel) => void;
  #model = nothingSeen(nowMs());
  #isLooking = false;
  #isKnocking = false;

  constructor(api: GatewayApi, onChange: (model: ClusterModel) => void) {
    this.#api = api;
    this.#onChange = onChange;
  }

  start(): void {
    this.#change({});
    this.#tick();
    setInterval(() => this.#tick(), everyMs);
  }

  /** Asks again whether the person may see the cluster: they have logged in or out. */
  knock(): void {
    this.#change({ access: "unknown", user: undefined });
    this.#tick();
  }

  channels(): Promise<string[]> {
    return this.#api.channels();
  }

  /** Returns a channel's newest messages, the newest first. @throws ProtocolError */
  async newest(channel: string): Promise<readonly Entry[]> {
    const { messages } = await this.#api.channelPage(channel, { limit: newestMessages });
    return [...messages].reverse();
  }

  /** Sends a message. @returns the id by which its steps are found. @throws ProtocolError */
  async send(channel: string, text: string): Promise<string> {
    const id = randomHex(16);
    await this.#api.publish(channel, text, id);
    return id;
  }

  /** @throws ProtocolError */
  trace(of: string): Promise<Trace> {
    return this.#api.trace(of);
  }

  #tick(): void {
    this.#change({ nowMs: nowMs() });
    if (document.hidden) return;
    if (this.#model.access === "unknown") void this.#knock();
    void this.#look();
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const status = await this.#api.cluster();
      this.#model = seen(this.#model, status, nowMs());
      this.#change({});
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#change({ failure: error });
    } finally {
      this.#isLooking = false;
    }
  }

  async #knock(): Promise<void> {
    if (this.#isKnocking) return;
    this.#isKnocking = true;
    try {
      const isAllowed = await this.#api.mayTrace();
      const user = await this.#api.session().catch(() => undefined);
      this.#change({ access: isAllowed ? "allowed" : "refused", user });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      // Other errors, such as that no server answers, leave the question open.
      if (error.code === "unauthenticated") this.#change({ access: "logIn" });
    } finally {
      this.#isKnocking = false;
    }
  }

  #change(changed: Partial<ClusterModel>): void {
    this.#model = { ...this.#model, ...changed };
    this.#onChange(this.#model);
  }
}
