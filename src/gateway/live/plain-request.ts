import type { IncomingMessage, Server } from "node:http";

/**
 * Serves a request that asks for another protocol as if it had not asked, as HTTP allows (RFC 9110,
 * section 7.8). Java's HTTP client, for example, always asks for HTTP/2. The server reads the request
 * again, so all time-outs and bounds of connections hold for it.
 * @param head the bytes that have arrived behind the request's headers
 */
export function servePlainly(server: Server, request: IncomingMessage, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders, socket } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = "", value] = rawHeaders.slice(index, index + 2);
    if (name.toLowerCase() !== "upgrade") lines.push(`${name}: ${value}`);
  }
  const text = [...lines, "", ""].join("\r\n");
  socket.unshift(Buffer.concat([Buffer.from(text, "latin1"), head]));
  server.emit("connection", socket);
}
