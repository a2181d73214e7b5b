import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { CliProcess } from "./cli-process.ts";

let home: TemporaryFolder;
/** A TCP server that accepts connections and sends nothing. */
let silent: Server;
/** A TCP server that answers each connection with an HTTP error. */
let web: Server;
const places: Record<string, () => string> = {
  "nothing listens": () => "tcp://127.0.0.1:1",
  "the host name is unknown": () => "tcp://no-such-host.invalid:5555",
  "no packet comes back": () => "tcp://10.255.255.1:5555",
  "a process listens and sends nothing": () => endpointOf(silent),
  "a web server listens": () => endpointOf(web),
};

function endpointOf(server: Server): string {
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  home = await temporaryFolder();
  silent = createServer((socket) => socket.on("error", () => {}));
  web = createServer((socket) => {
    socket.on("error", () => {});
    socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  });
  for (const server of [silent, web]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
});

afterAll(async () => {
  silent?.close();
  web?.close();
  await home?.[Symbol.asyncDispose]();
});

function start(args: readonly string[], endpoint: string): CliProcess {
  return new CliProcess(args, {
    HOME: home.path,
    TERTULIA_BROKER: endpoint,
    TERTULIA_BROKER_BACK: endpoint,
    TERTULIA_PROXY: endpoint,
    TERTULIA_PROXY_IN: endpoint,
    TERTULIA_REFERENCE: endpoint,
    TERTULIA_DATA: home.path,
  });
}

const commands = [["users"], ["send", "#geral", "oi", "--user", "ana"], ["status"]];

describe.concurrent.each(Object.keys(places))("at an endpoint where %s", (place) => {
  test.each(commands)(
    "the command `%s` ends with code 1 and one sentence if no broker is at its endpoint",
    { timeout: 30_000 },
    async (...args) => {
      using command = start([...args, "--timeout", "1"], (places[place] as () => string)());
      const { code, stderr } = await command.end();
      expect(code).toBe(1);
      const lines = stderr.trimEnd().split("\n");
      expect(lines.filter((line) => line.startsWith("tertulia: "))).toHaveLength(1);
      expect(stderr).not.toContain("    at ");
    },
  );
});

const waiting: readonly (readonly string[])[] = [
  ["users", "--timeout", "600"],
  ["listen", "#geral", "--timeout", "600"],
  ["chat", "--lines", "--user", "ana", "--timeout", "600"],
  ["status", "--watch"],
  ["server", "--data", "DATA"],
  ["broker", "--data", "DATA", "--front", "tcp://127.0.0.1:*", "--back", "tcp://127.0.0.1:*"],
  ["bot", "--data", "DATA"],
];

describe.each(["SIGINT", "SIGTERM"] as const)("%s", (signal) => {
  test.each(waiting)("a signal ends `%s` while it waits for an answer", async (...args) => {
    await using data = await temporaryFolder();
    const reached = createServer((socket) => socket.on("error", () => {}));
    const connected = once(reached, "connection");
    reached.listen(0, "127.0.0.1");
    await once(reached, "listening");
    try {
      const words = args.map((word) => (word === "DATA" ? data.path : word));
      // The test leaves stdin open, as a terminal does.
      using command = start(words, endpointOf(reached));
      const ended = once(command.child, "exit");
      await Promise.race([connected, ended]);
      expect(command.child.exitCode, command.stderr).toBeNull();
      command.child.kill(signal);
      const [code, by] = await ended;
      expect([0, signal]).toContain(code ?? by);
    } finally {
      reached.close();
    }
  });
});
