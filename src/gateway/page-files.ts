import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Api } from "./api/route.ts";

interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly gzip: Buffer;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};

/** The path of the files whose names have a hash of their content, and so never change. */
export const assetsPath = "/assets/";

/** The file of each page. The chat and the cluster at work are one program, and matches another. */
const pages: Readonly<Record<string, string>> = {
  "/": "index.html",
  "/cluster": "index.html",
  "/duel": "duel.html",
};

/** Returns the file of the page at a URL; undefined if there is no page. */
export function pageOf(url: string): string | undefined {
  const [path = ""] = url.split("?", 1);
  return Object.hasOwn(pages, path) ? pages[path] : undefined;
}

/** What the page may load and do: only what this gateway serves. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  // No script may turn text into markup.
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const securityHeaders = {
  "content-security-policy": pagePolicy,
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
} as const;

/** The few files of the page, in memory. */
export class PageFiles {
  readonly #files: ReadonlyMap<string, PageFile>;

  /** @param folder where the build has put the page */
  constructor(folder: string = join(import.meta.dirname, "web")) {
    this.#files = new Map(readdirSync(folder).flatMap((name) => fileOf(folder, name)));
  }

  /** Answers with a file. @returns false if there is no such file */
  send(request: FastifyRequest, reply: FastifyReply, name: string): boolean {
    const file = this.#files.get(name);
    if (file === undefined) return false;
    const isCompressed = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
    const isAsset = request.url.startsWith(assetsPath);
    void reply
      .headers(securityHeaders)
      .header("content-type", file.type)
      .header("cache-control", isAsset ? "public, max-age=31536000, immutable" : "no-cache")
      .header("vary", "accept-encoding");
    if (isCompressed) void reply.header("content-encoding", "gzip");
    void reply.send(isCompressed ? file.gzip : file.bytes);
    return true;
  }
}

function fileOf(folder: string, name: string): [string, PageFile][] {
  const type = types[extname(name)];
  if (type === undefined) return [];
  const bytes = readFileSync(join(folder, name));
  return [[name, { type, bytes, gzip: gzipSync(bytes, { level: 9 }) }]];
}

/** Adds the routes of the page and of its files. */
export function addPage(app: Api, page: PageFiles): void {
  for (const [path, file] of Object.entries(pages)) {
    app.get(path, { schema: { hide: true } }, (request, reply) => {
      if (!page.send(request, reply, file)) reply.callNotFound();
      return reply;
    });
  }
  const path = `${assetsPath}:name`;
  app.get<{ Params: { name: string } }>(path, { schema: { hide: true } }, (request, reply) => {
    if (!page.send(request, reply, request.params.name)) reply.callNotFound();
    return reply;
  });
}
