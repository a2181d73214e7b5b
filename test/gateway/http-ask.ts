import { request } from "node:http";

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer | undefined;
  /** The address of this machine from which the request comes, such as `127.0.0.2`. */
  readonly from?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  /** The parsed body; undefined if it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
  readonly json: any;
}

/** Makes one HTTP request over a connection of its own. A stream of events is cut at its first bytes. */
export function send({ method, url, headers = {}, body, from }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const all = { ...length, ...headers } as never;
    const options = { method, headers: all, localAddress: from, agent: false } as const;
    const sent = request(url, options, (response) => {
      const { statusCode: status = 0, headers } = response;
      const isStream = headers["content-type"]?.startsWith("text/event-stream") === true;
      const parts: Buffer[] = [];
      const finish = () => {
        const text = Buffer.concat(parts).toString();
        const isJson = /json/.test(headers["content-type"] ?? "") && text !== "";
        resolve({ status, headers, text, json: isJson ? JSON.parse(text) : undefined });
      };
      response.on("data", (part: Buffer) => {
        parts.push(part);
        if (isStream) response.destroy();
      });
      response.on("close", finish);
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
