import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { fastify } from "fastify";
import { expect, test } from "vitest";
import { assetsPath, PageFiles, pageOf } from "../../src/gateway/page-files.ts";

const folder = fileURLToPath(new URL("../../dist/gateway/web/", import.meta.url));
const names = readdirSync(folder);
/** The files of the page about matches; all others are those of the chat. */
const ofDuel = names.filter((name) => name.startsWith("duel"));
const ofChat = names.filter((name) => !ofDuel.includes(name));
const sizeOf = (files: readonly string[]) =>
  files
    .map((name) => gzipSync(readFileSync(folder + name), { level: 9 }).length)
    .reduce((sum, one) => sum + one);

async function serve(url: string, headers: Record<string, string> = {}) {
  const files = new PageFiles(folder);
  const app = fastify();
  app.get("/*", (request, reply) => {
    const name = request.url === "/" ? "index.html" : request.url.slice(assetsPath.length);
    if (!files.send(request, reply, name)) void reply.code(404).send();
    return reply;
  });
  return app.inject({ url, headers });
}

test("[G38] the page has at most 70 KB, compressed", () => {
  expect(ofChat.length).toBe(5);
  expect(sizeOf(ofChat)).toBeLessThanOrEqual(70_000);
});

test("[G58] the page about matches has at most 35 KB, compressed", () => {
  expect(ofDuel.length).toBe(3);
  expect(sizeOf(ofDuel)).toBeLessThanOrEqual(35_000);
});

test("[G38] the page has no script and no style within its markup", () => {
  for (const page of ["index.html", "duel.html"]) {
    const html = readFileSync(folder + page, "utf8");
    expect(html).not.toMatch(/<style|style=|\son\w+=|javascript:|<script(?![^>]*src=)/i);
  }
});

test("[G30] browsers keep files whose names have a hash, and ask again for the page itself", async () => {
  const page = await serve("/", { "accept-encoding": "br, gzip" });
  expect(page.headers).toMatchObject({ "cache-control": "no-cache", "content-encoding": "gzip" });
  const script = names.find((name) => name.endsWith(".js")) ?? "";
  const file = await serve(assetsPath + script);
  expect(file.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  expect(file.headers["content-encoding"]).toBeUndefined();
  expect(file.body).toBe(readFileSync(folder + script, "utf8"));
  expect(names.filter((name) => !/-[0-9a-f]{12}\./.test(name))).toEqual([
    "duel.html",
    "index.html",
  ]);
});

test("[G30] the policy of the page allows nothing but files and requests of its own gateway", async () => {
  const { headers } = await serve("/");
  const policy = String(headers["content-security-policy"]);
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|data:|blob:|https?:/);
  expect(headers["referrer-policy"]).toBe("no-referrer");
});

test("[G58] the page about matches is served at `/duel`, also to watch a user", () => {
  const paths = ["/", "/?x", "/cluster", "/duel", "/duel?of=ana", "/duel/x", "/constructor"];
  const [chat, matches] = ["index.html", "duel.html"];
  const expected = [chat, chat, chat, matches, matches, undefined, undefined];
  expect(paths.map(pageOf)).toEqual(expected);
});

test("[G30] a path that leaves the folder names no file", async () => {
  for (const name of ["..%2fapp.js", "../app.js", "index.html%00", ""]) {
    expect((await serve(assetsPath + name)).statusCode).toBe(404);
  }
});
