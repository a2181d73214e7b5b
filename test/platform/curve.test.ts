import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { curveKeys, keyFileText, memberKeys, serverKey } from "../../src/platform/curve.ts";
import { engineAddress } from "../../src/platform/parse-engine.ts";
import { redisAddress } from "../../src/platform/parse-redis.ts";
import { protect, protectEngine, protectRedis } from "../../src/platform/reach.ts";
import { openSecret, Secret } from "../../src/platform/secret.ts";
import { Settings } from "../../src/platform/settings.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function secretOf(text: string, cluster = "tertulia"): Secret {
  return new Secret(text, { text, path: "", isDefault: true, cluster });
}

test("[X6] a secret always gives the same keys, and another secret or another cluster's name gives different keys", () => {
  const keys = curveKeys(secretOf("a secret of the cluster"));
  expect(keys.publicKey).toMatch(/^[0-9a-f]{64}$/);
  expect(curveKeys(secretOf("a secret of the cluster")).publicKey).toBe(keys.publicKey);
  expect(curveKeys(secretOf("another secret of it")).publicKey).not.toBe(keys.publicKey);
  expect(curveKeys(secretOf("a secret of the cluster", "b")).publicKey).not.toBe(keys.publicKey);
});

test("[X6] inspect and JSON.stringify of a key pair do not reveal the secret key", () => {
  const keys = curveKeys(secretOf("a secret of the cluster"));
  const secretHex = keys.secretKey.export().toString("hex");
  expect(secretHex).toMatch(/^[0-9a-f]{64}$/);
  expect(inspect(keys, { depth: 9, showHidden: true })).not.toContain(secretHex);
  expect(JSON.stringify(keys)).not.toContain(secretHex);
});

test("[X6] members derive their keys from the secret, and clients read the public key from a file or derive it from the secret", async () => {
  await using folder = await temporaryFolder();
  const data = folder.path;
  const none = new Settings({ data }, {});
  expect(serverKey(none)).toBeUndefined();
  const on = new Settings({ data, curve: true }, {});
  expect(() => serverKey(on)).toThrow("Or give the cluster's key by --server-key-file.");
  const secret = openSecret({
    text: undefined,
    path: join(data, "secret"),
    isDefault: true,
    cluster: "tertulia",
  });
  const key = curveKeys(secret).publicKey;
  expect(memberKeys(on, secret)?.publicKey).toBe(key);
  expect(memberKeys(none, secret)).toBeUndefined();
  expect(serverKey(on)).toBe(key);

  const serverKeyFile = join(data, "server.key");
  const named = new Settings({ data, serverKeyFile }, {});
  expect(() => serverKey(named)).toThrow(`can't be read at ${serverKeyFile} (ENOENT)`);
  writeFileSync(serverKeyFile, `${"ab".repeat(32)}\n`);
  expect(serverKey(named)).toBe("ab".repeat(32));
  for (const own of [memberKeys(on, secret), undefined]) {
    writeFileSync(serverKeyFile, keyFileText(own));
    expect(serverKey(named)).toBe(own?.publicKey);
  }
  writeFileSync(serverKeyFile, "ab\n");
  expect(() => serverKey(named)).toThrow("holds no key: 64 hex digits are wanted");
});

test("[X6] a key file that says `none` is refused if --curve is set", async () => {
  await using folder = await temporaryFolder();
  const serverKeyFile = join(folder.path, "server.key");
  const settings = new Settings(
    {},
    { TERTULIA_CURVE: "true", TERTULIA_SERVER_KEY_FILE: serverKeyFile },
  );
  const keys = curveKeys(secretOf("a secret of the cluster"));
  writeFileSync(serverKeyFile, keyFileText(keys));
  expect(serverKey(settings)).toBe(keys.publicKey);
  writeFileSync(serverKeyFile, keyFileText(undefined));
  const refused = expect.objectContaining({
    exitCode: 2,
    message: expect.stringContaining(
      "says that the cluster is not encrypted, and --curve that it is",
    ),
  });
  expect(() => serverKey(settings)).toThrow(refused);
});

test("[X3] without --insecure, only a process with accounts and encryption may be reachable from other machines", () => {
  const beyond = "tcp://0.0.0.0:5555";
  const settings = (flags: Record<string, unknown>) => new Settings(flags, {});
  const refused = (flags: Record<string, unknown>) => {
    try {
      protect(settings(flags), "tcp://127.0.0.1:1", beyond);
    } catch (error) {
      expect(error).toMatchObject({ exitCode: 2 });
      return (error as Error).message;
    }
    return undefined;
  };
  for (const curve of [true, false]) {
    expect(refused({ curve })).toMatch(
      `${beyond} is reachable from other machines, and with --auth open`,
    );
    expect(refused({ curve, insecure: true })).toBeUndefined();
  }
  const clear =
    /passwords and sessions would go to it in clear: encrypt them by --curve, or say --insecure/;
  expect(refused({ auth: "required" })).toMatch(clear);
  expect(refused({ auth: "required", insecure: true })).toBeUndefined();
  expect(refused({ auth: "required", curve: true })).toBeUndefined();
  expect(() => protect(settings({}), "tcp://127.0.0.1:1", "ipc:///tmp/a")).not.toThrow();
});

test("[O31] an engine on another machine needs encrypted connections or --insecure, and one on this machine does not", () => {
  const check = (engine: string, flags: Record<string, unknown> = {}) => {
    protectEngine(new Settings(flags, {}), engineAddress(engine));
  };
  expect(() => check("postgres://localhost,db2:5433/chat")).toThrow(
    expect.objectContaining({
      exitCode: 2,
      message: expect.stringMatching(/^The engine's host db2 is another machine, .*\.$/),
    }),
  );
  const local = "localhost,127.0.0.1:5433,[::1],%2Fvar%2Frun%2Fpostgresql";
  expect(() => check(`postgres://${local}/chat`)).not.toThrow();
  expect(() => check("postgres://db1/chat", { insecure: true })).not.toThrow();
  expect(() => check("postgres://db1/chat?sslmode=require")).not.toThrow();
  expect(() => check("postgres://db1/chat?sslmode=verify-full")).not.toThrow();
});

test("[O31] a Redis on another machine needs encrypted connections or --insecure, and one on this machine does not", () => {
  const check = (redis: string, flags: Record<string, unknown> = {}) => {
    protectRedis(new Settings(flags, {}), redisAddress(redis));
  };
  expect(() => check("redis://cache:6380/1")).toThrow(
    expect.objectContaining({
      exitCode: 2,
      message: expect.stringMatching(/^The Redis cache is another machine, .*\.$/),
    }),
  );
  for (const local of ["localhost", "127.0.0.1:6380", "[::1]"]) {
    expect(() => check(`redis://${local}`)).not.toThrow();
  }
  expect(() => check("redis://cache", { insecure: true })).not.toThrow();
  expect(() => check("rediss://cache")).not.toThrow();
});
