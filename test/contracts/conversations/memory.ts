import { setImmediate as turn } from "node:timers/promises";
import type { Fields } from "../../../src/protocol/fields.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { Scene as VirtualScene } from "../../support/account-scene.ts";
import type { Question } from "../../support/question.ts";
import { keptMessages, type Payload, type Subject } from "./subject.ts";

/** Three servers in this process, in virtual time, without sockets and disks. */
export class MemorySubject implements Subject {
  readonly #scene = new VirtualScene(undefined, "required", {
    channelMessages: keptMessages,
    userMessages: limits.userMessages,
    userLogins: limits.userLogins,
  });
  #connections = 0;

  static async start(): Promise<Subject> {
    return new MemorySubject();
  }

  get operator(): string {
    return this.#scene.operator;
  }

  async ask(server: number, payload: Payload): Promise<Fields | undefined> {
    const { cluster } = this.#scene;
    this.#connections += 1;
    const connection = `connection ${this.#connections}`;
    const question = cluster.askPayload(cluster.server(server), payload, connection);
    // All requests that a test sends at the same time are there before time goes on.
    await turn();
    cluster.runUntil(() => question.replies !== undefined, `a reply to ${payload.service}`);
    // A refused request may be repeated at once, so time must go on after each reply.
    cluster.runFor(1);
    return this.#replyOf(question);
  }

  async restart(): Promise<void> {
    const { cluster } = this.#scene;
    for (const server of cluster.servers) cluster.crash(server);
    for (const server of cluster.servers) cluster.start(server);
    cluster.runUntilServing();
  }

  /** Puts a token in place of a granted session, as the shell's wire does. */
  #replyOf({ isLost, reply }: Question): Fields | undefined {
    if (isLost || reply === undefined) return undefined;
    const { grant, ...fields } = reply;
    return grant === undefined ? fields : { ...fields, token: this.#scene.token(grant) };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
