import type { ClusterStatus } from "../../client/core/cluster-status.ts";
import {
  type ErrorCode,
  isErrorCode,
  isRefusalReason,
  ProtocolError,
} from "../../protocol/errors.ts";
import type { UserName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { Trace } from "../../protocol/steps.ts";

/** A page of a history, from the oldest to the newest entry. */
export interface HistoryPage {
  readonly messages: readonly Entry[];
  /** If there are more: the `before` of the next older page. */
  readonly next?: string;
  /** Where a subscription goes on after this page. */
  readonly position: string;
}

/** A page of found messages, from the oldest to the newest. */
type Found = Pick<HistoryPage, "messages" | "next">;

/** What a request sends besides its path. */
interface Sent {
  readonly body?: object;
  readonly id?: string;
}

/** An id that no event has. */
const noEvent = "no event";

interface Problem {
  readonly title?: unknown;
  readonly code?: unknown;
  readonly wait?: unknown;
  readonly reason?: unknown;
}

/** The gateway's REST interface, as the person of the cookie. */
export class GatewayApi {
  /** What earlier replies have shown, so that later replies show at least as much (R9). */
  #seen: string | undefined;

  /** @returns the logged-in user. @throws ProtocolError `unauthenticated` if nobody is logged in */
  async session(): Promise<string> {
    return (await this.call<{ user: string }>("GET", "/session")).user;
  }

  /** Returns whether names need passwords: only then does a list need a session. */
  async hasAccounts(): Promise<boolean> {
    try {
      await this.call("GET", `/channels?${asked({ limit: 1 })}`);
      return false;
    } catch (error) {
      if (error instanceof ProtocolError && error.code === "unauthenticated") return true;
      throw error;
    }
  }

  async logIn(user: string, password: string): Promise<void> {
    await this.call("POST", "/session", {
      body: password === "" ? { user } : { user, password },
    });
  }

  async register(user: string, password: string, invitation: string): Promise<void> {
    const account = { user, password };
    const body = invitation === "" ? account : { ...account, invitation };
    await this.call("POST", "/accounts", { body });
  }

  async logOut(): Promise<void> {
    await this.call("DELETE", "/session");
  }

  async createChannel(channel: string): Promise<void> {
    await this.call("POST", "/channels", { body: { channel } });
  }

  users(): Promise<string[]> {
    return this.#names("users");
  }

  channels(): Promise<string[]> {
    return this.#names("channels");
  }

  /** @param query such as `{before, limit}` */
  channelPage(channel: string, query: Query): Promise<HistoryPage> {
    return this.call("GET", `/channels/${encodeURIComponent(channel)}/messages?${asked(query)}`);
  }

  privatePage(me: UserName, query: Query): Promise<HistoryPage> {
    return this.call("GET", `/users/${encodeURIComponent(me)}/messages?${asked(query)}`);
  }

  /** @param query such as `{words, before, limit}` */
  searchChannel(channel: string, query: Query): Promise<Found> {
    return this.call("GET", `/channels/${encodeURIComponent(channel)}/search?${asked(query)}`);
  }

  searchPrivate(me: UserName, query: Query): Promise<Found> {
    return this.call("GET", `/users/${encodeURIComponent(me)}/search?${asked(query)}`);
  }

  /** @param id the request's id, by which a repeated request takes effect once */
  async publish(channel: string, message: string, id: string): Promise<void> {
    const path = `/channels/${encodeURIComponent(channel)}/messages`;
    await this.call("POST", path, { body: { message }, id });
  }

  /** Returns the state of the cluster and its problems, also while no server answers. */
  cluster(): Promise<ClusterStatus> {
    return this.call("GET", "/cluster");
  }

  /** @param of the id of an event's entry or request, or the event's name, `server/seq` */
  trace(of: string): Promise<Trace> {
    return this.call("GET", `/trace?${asked({ of })}`);
  }

  /** Returns whether the person may see the steps of events, and so the cluster at work. */
  async mayTrace(): Promise<boolean> {
    try {
      await this.trace(noEvent);
      return true;
    } catch (error) {
      if (error instanceof ProtocolError && error.code === "forbidden") return false;
      throw error;
    }
  }

  async time(): Promise<string> {
    return (await this.call<{ time: string }>("GET", "/time")).time;
  }

  async #names(kind: "users" | "channels"): Promise<string[]> {
    const names: string[] = [];
    let from: string | undefined;
    do {
      const page: { readonly [Kind in typeof kind]?: string[] } & { readonly next?: string } =
        await this.call("GET", `/${kind}?${asked({ from, limit: limits.historyEntries })}`);
      names.push(...(page[kind] ?? []));
      from = page.next;
    } while (from !== undefined);
    return names;
  }

  /**
   * Makes one request below the path of the API.
   * @throws ProtocolError; `unavailable` if no gateway answers
   */
  async call<T>(method: string, path: string, { body, id }: Sent = {}): Promise<T> {
    const headers = new Headers({ accept: "application/json" });
    if (body !== undefined) headers.set("content-type", "application/json");
    if (id !== undefined) headers.set("idempotency-key", id);
    if (this.#seen !== undefined) headers.set("tertulia-after", this.#seen);
    let response: Response;
    let value: unknown;
    try {
      const sent = body === undefined ? null : JSON.stringify(body);
      response = await fetch(`/api/v1${path}`, { method, headers, body: sent });
      value = response.status === 204 ? undefined : await response.json();
    } catch {
      throw new ProtocolError("unavailable", "No gateway answers.");
    }
    this.#seen = response.headers.get("tertulia-seen") ?? this.#seen;
    if (response.ok) return value as T;
    throw asError(value as Problem);
  }
}

type Query = Readonly<Record<string, string | number | undefined>>;

function asked(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return new URLSearchParams(given).toString();
}

/** Converts what a gateway says about a failure, as a problem or as a frame, to an error. */
export function asError({ title, code, wait, reason }: Problem): ProtocolError {
  const known: ErrorCode = isErrorCode(code) ? code : "unavailable";
  return new ProtocolError(known, String(title ?? ""), {
    wait: typeof wait === "number" ? wait : undefined,
    reason: isRefusalReason(reason) ? reason : undefined,
  });
}
