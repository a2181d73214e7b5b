import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { until } from "../../support/until.ts";

/** A packet that came from the server. */
export interface Got {
  readonly kind: number;
  readonly body: Buffer;
}

export interface Message {
  readonly topic: string;
  readonly qos: number;
  readonly comando: string;
  readonly dados: Record<string, unknown>;
}

export const kinds = { connack: 2, publish: 3, puback: 4, pubrec: 5, suback: 9, pingresp: 13 };

interface Login {
  readonly id?: string;
  readonly user?: string;
  readonly password?: string;
  readonly keepAlive?: number;
  readonly will?: { readonly topic: string; readonly text: string };
}

interface Publication {
  readonly packet?: number;
  readonly qos?: 0 | 1 | 2;
  readonly isDup?: boolean;
  readonly isRetained?: boolean;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function framed(first: number, body: Buffer): Buffer {
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

/**
 * An MQTT client of single packets, written from the specification: it does what no library lets a
 * test do, such as a repetition with DUP, and shares no code with the server.
 */
export class RawClient implements Disposable {
  readonly socket: Socket;
  readonly got: Got[] = [];
  isClosed = false;
  #rest = Buffer.alloc(0);
  #packet = 100;

  constructor(endpoint: string) {
    const { hostname, port } = new URL(endpoint.replace("tcp:", "http:"));
    this.socket = connect(Number(port), hostname);
    this.socket.on("error", () => {});
    this.socket.once("close", () => {
      this.isClosed = true;
    });
    this.socket.on("data", (chunk) => this.#take(chunk));
  }

  /** Connects as a user, and returns the code of CONNACK. */
  static async open(endpoint: string, login: Login = {}) {
    const client = new RawClient(endpoint);
    client.connect(login);
    const ack = await client.next(kinds.connack);
    return { client, code: ack.body[1] };
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  connect({ id = "c", user, password, keepAlive = 60, will }: Login = {}): void {
    const flags =
      0x02 |
      (user === undefined ? 0 : 0x80) |
      (password === undefined ? 0 : 0x40) |
      (will === undefined ? 0 : 0x04);
    const body = [text("MQTT"), Buffer.from([4, flags]), number16(keepAlive), text(id)];
    if (will !== undefined) body.push(text(will.topic), text(will.text));
    if (user !== undefined) body.push(text(user));
    if (password !== undefined) body.push(text(password));
    this.socket.write(framed(0x10, Buffer.concat(body)));
  }

  /** Returns the code of SUBACK: 128 for a refusal. */
  async subscribe(topic: string, qos = 1): Promise<number> {
    this.#packet += 1;
    const id = number16(this.#packet);
    const body = Buffer.concat([id, text(topic), Buffer.from([qos])]);
    this.socket.write(framed(0x82, body));
    const ack = await this.next(kinds.suback, ({ body: answer }) =>
      answer.subarray(0, 2).equals(id),
    );
    return ack.body[2] ?? -1;
  }

  publish(topic: string, value: unknown, publication: Publication = {}): void {
    const { packet = 0, qos = packet === 0 ? 0 : 1, isDup, isRetained } = publication;
    const first = 0x30 | (isDup ? 8 : 0) | (qos << 1) | (isRetained ? 1 : 0);
    const payload = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
    const id = qos === 0 ? Buffer.alloc(0) : number16(packet);
    this.socket.write(framed(first, Buffer.concat([text(topic), id, payload])));
  }

  ping(): void {
    this.socket.write(framed(0xc0, Buffer.alloc(0)));
  }

  /** Whether the server has acknowledged a packet. */
  isAcked(packet: number): boolean {
    return this.got.some(
      ({ kind, body }) => kind === kinds.puback && body.readUInt16BE(0) === packet,
    );
  }

  acked(packet: number): Promise<void> {
    return until(() => this.isAcked(packet), `PUBACK of ${packet}`);
  }

  get messages(): readonly Message[] {
    return this.got.filter(({ kind }) => kind === kinds.publish).map(messageOf);
  }

  of(comando: string): readonly Message[] {
    return this.messages.filter((message) => message.comando === comando);
  }

  /** Waits for a message, and returns the last one of this kind. */
  async hears(comando: string, count = 1): Promise<Message> {
    await until(() => this.of(comando).length >= count, `${count} of ${comando}`);
    return this.of(comando).at(-1) as Message;
  }

  async next(kind: number, fits: (got: Got) => boolean = () => true): Promise<Got> {
    const find = () => this.got.find((one) => one.kind === kind && fits(one));
    await until(() => find() !== undefined || this.isClosed, `a packet of kind ${kind}`);
    const found = find();
    if (found === undefined) throw new Error(`closed before a packet of kind ${kind}`);
    return found;
  }

  async closed(): Promise<void> {
    if (!this.isClosed) await once(this.socket, "close");
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      let length = 0;
      let at = 1;
      for (;;) {
        const byte = this.#rest[at];
        if (byte === undefined) return;
        length += (byte & 127) * 128 ** (at - 1);
        at += 1;
        if (byte < 128) break;
      }
      if (this.#rest.length < at + length) return;
      const first = this.#rest[0] ?? 0;
      const body = this.#rest.subarray(at, at + length);
      this.#rest = this.#rest.subarray(at + length);
      const isPublish = first >> 4 === kinds.publish;
      // The flags of PUBLISH are part of what came; they are kept in front of its body.
      const kept = isPublish ? Buffer.concat([Buffer.from([first & 15]), body]) : body;
      this.got.push({ kind: first >> 4, body: kept });
      if (isPublish && (first & 6) === 2) {
        const end = 2 + body.readUInt16BE(0);
        this.socket.write(framed(0x40, body.subarray(end, end + 2)));
      }
    }
  }
}

function messageOf({ body }: Got): Message {
  const qos = ((body[0] ?? 0) >> 1) & 3;
  const end = 3 + body.readUInt16BE(1);
  const topic = body.subarray(3, end).toString();
  const payload = body.subarray(end + (qos > 0 ? 2 : 0)).toString();
  return { topic, qos, ...(JSON.parse(payload) as Pick<Message, "comando" | "dados">) };
}
