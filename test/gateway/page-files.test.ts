import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { fastify } from "fastify";
import { expect, test } from "vitest";
import { assetsPath, PageFiles } from "../../src/gateway/page-files.ts";

const folder = fileURLToPath(new URL("../../dist/gateway/web/", import.meta.url));
const names = readdirSync(folder);

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
  const bytes = names.map((name) => gzipSync(readFileSync(folder + name), { level: 9 }).length);
  expect(names.length).toBe(5);
  expect(bytes.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(70_000);
});

test("[G38] the page has no script and no style within its markup", () => {
  const html = readFileSync(`${folder}index.html`, "utf8");
  expect(html).not.toMatch(/<style|style=|\son\w+=|javascript:|<script(?![^>]*src=)/i);
});

test("[G30] browsers keep files whose names have a hash, and ask again for the page itself", async () => {
  const page = await serve("/", { "accept-encoding": "br, gzip" });
  expect(page.headers).toMatchObject({ "cache-control": "no-cache", "content-encoding": "gzip" });
  const script = names.find((name) => name.endsWith(".js")) ?? "";
  const file = await serve(assetsPath + script);
  expect(file.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  expect(file.headers["content-encoding"]).toBeUndefined();
  expect(file.body).toBe(readFileSync(folder + script, "utf8"));
  expect(names.filter((name) => !/-[0-9a-f]{12}\./.test(name))).toEqual(["index.html"]);
});

test("[G30] the policy of the page allows nothing but files and requests of its own gateway", async () => {
  const { headers } = await serve("/");
  const policy = String(headers["content-security-policy"]);
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|data:|blob:|https?:/);
  expect(headers["referrer-policy"]).toBe("no-referrer");
});

test("[G30] a path that leaves the folder names no file", async () => {
  for (const name of ["..%2fapp.js", "../app.js", "index.html%00", ""]) {
    expect((await serve(assetsPath + name)).statusCode).toBe(404);
  }
});
