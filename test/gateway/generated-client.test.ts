import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { gatewayScene } from "./gateway-scene.ts";

const run = promisify(execFile);
const document = fileURLToPath(new URL("../../docs/openapi.json", import.meta.url));
const generator = ["openapi-typescript@7.13.0", "openapi-fetch@0.15.0", "typescript@5.9.3"];

const scene = gatewayScene({ auth: "required" });
let folder: TemporaryFolder;
let isInstalled = false;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, "package.json"), '{ "type": "module", "private": true }');
  const install = ["install", "--no-audit", "--no-fund", "--prefer-offline", ...generator];
  isInstalled = await run("npm", install, { cwd: folder.path, timeout: 60_000 }).then(
    () => true,
    () => false,
  );
}, 90_000);
afterAll(() => folder?.[Symbol.asyncDispose]());

/** What a program of another author writes against the generated types. */
const program = `
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

const baseUrl = process.argv[2]!;
const user = "ana";
const password = "the long password of ana";
const visitor = createClient<paths>({ baseUrl });
await visitor.POST("/api/v1/accounts", { body: { user, password } });
const { data: session } = await visitor.POST("/api/v1/session", { body: { user, password } });
const api = createClient<paths>({
  baseUrl,
  headers: { authorization: \`Bearer \${session!.token}\` },
});
const geral = { params: { path: { channel: "geral" } } } as const;
await api.POST("/api/v1/channels", { body: { channel: "geral" } });
await api.POST("/api/v1/channels/{channel}/messages", { ...geral, body: { message: "oi" } });
const { data } = await api.GET("/api/v1/channels/{channel}/messages", geral);
const missing = { params: { path: { channel: "nowhere" } } };
const { error } = await api.GET("/api/v1/channels/{channel}/messages", missing);
const told = data!.messages.map(({ user, message }) => \`\${user}: \${message}\`);
console.log(JSON.stringify({ told, code: error!.code }));
`;

test("[G1] a client that a public generator makes from the OpenAPI document compiles and chats", async ({
  skip,
}) => {
  if (!isInstalled) skip("the generator can't be installed: no registry answers");
  const { path } = folder;
  const bin = (name: string) => join(path, "node_modules", ".bin", name);
  await run(bin("openapi-typescript"), [document, "-o", join(path, "api.ts")]);
  await writeFile(join(path, "chat.ts"), program);
  const types = fileURLToPath(new URL("../../node_modules/@types", import.meta.url));
  const options = ["--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"];
  await run(bin("tsc"), [...options, "--types", "node", "--typeRoots", types, "chat.ts"], {
    cwd: path,
  });
  const { stdout } = await run(process.execPath, ["chat.js", scene.cluster.http()], { cwd: path });
  expect(JSON.parse(stdout)).toEqual({ told: ["ana: oi"], code: "channel_not_found" });
}, 90_000);
