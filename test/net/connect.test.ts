import { expect, test } from "vitest";
import { connect } from "../../src/net/connect.ts";
import { Problem } from "../../src/platform/problem.ts";

type Connecting = Parameters<typeof connect>[0];

/** A socket whose first calls of `connect` throw these errors of the system. */
function failing(...codes: string[]) {
  const connected: string[] = [];
  const socket = {
    ipv6: false,
    closed: false,
    connect(address: string): void {
      const code = codes.shift();
      if (code !== undefined) throw Object.assign(new Error(code), { code });
      connected.push(address);
    },
    close(): void {
      this.closed = true;
    },
  };
  return { socket: socket as unknown as Connecting, connected };
}

const endpoint = "tcp://127.0.0.1:5555";

test("[O9] a socket connects although signals interrupt its first two attempts", () => {
  const { socket, connected } = failing("EINTR", "EINTR");
  connect(socket, [endpoint]);
  expect(connected).toEqual([endpoint]);
});

test("[O9] if libzmq refuses an endpoint, the attempt to connect fails with an error and the socket is closed", () => {
  const { socket, connected } = failing("EINVAL");
  expect(() => connect(socket, [endpoint])).toThrow(Problem);
  expect(connected).toEqual([]);
  expect(socket.closed).toBe(true);
});
