import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { CliProcess, type Ended } from "./cli-process.ts";
import { ClusterCommands } from "./cluster-commands.ts";

let commands: ClusterCommands;

beforeAll(async () => {
  commands = await ClusterCommands.start();
}, 60_000);

afterAll(() => commands?.[Symbol.asyncDispose](), 30_000);

const run = (args: readonly string[], input?: string) => commands.run(args, input);

const objects = ({ stdout }: Ended) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("commands for scripts", () => {
  test("`login` and `create` add a user and a channel, which `users` and `channels` list", async () => {
    expect(await run(["login", "ana"])).toMatchObject({ code: 0, stdout: "" });
    expect(await run(["login", "bia", "--json"])).toMatchObject({ code: 0, stderr: "" });
    expect(await run(["create", "#geral", "--user", "ana"])).toMatchObject({ code: 0 });
    expect(await run(["users"])).toMatchObject({ code: 0, stdout: "ana\nbia\n", stderr: "" });
    expect(objects(await run(["channels", "--json"]))).toEqual([{ channel: "geral" }]);
  });

  test("a refused command prints one sentence in the person's language, or JSON, and ends with code 1", async () => {
    const again = await run(["create", "geral", "--lang", "pt-br"]);
    expect(again).toEqual({
      code: 1,
      stdout: "",
      stderr: "tertulia: Já existe um canal com esse nome.\n",
    });
    const json = await run(["create", "geral", "--json"]);
    expect(JSON.parse(json.stderr)).toEqual({
      error: {
        code: "channel_exists",
        message: "A channel with that name already exists.",
        description: 'The channel "geral" exists already.',
      },
    });
  });

  test("[R10] `register` registers a name only once, and never prints the password", async () => {
    const first = await run(["register", "dora"], "secret\n");
    expect(first).toMatchObject({ code: 0, stderr: "dora is registered.\n" });
    const again = await run(["register", "dora", "--json"], "secret\n");
    expect(again.code).toBe(1);
    expect(JSON.parse(again.stderr)).toMatchObject({ error: { code: "name_taken" } });
    expect(JSON.stringify([first, again])).not.toContain("secret");
    expect(await run(["register", "dora"], "")).toMatchObject({ code: 2 });
  });

  test("`send` takes a text from an argument or from the input, and `history` shows it", async () => {
    expect(await run(["send", "#geral", "oi", "--user", "ana"])).toMatchObject({ code: 0 });
    const sent = await run(["send", "#geral", "-", "--user", "caio", "--json"], "um\ndois\n");
    expect(sent.code).toBe(0);
    expect(objects(sent)[0]).toMatchObject({ channel: "geral", user: "caio" });
    const lines = (await run(["history", "#geral"])).stdout;
    expect(lines).toMatch(/^\S+ \S+ ana: oi\n\S+ \S+ caio: um␊dois\n$/);
    const [first, second, last] = objects(await run(["history", "#geral", "--json"]));
    expect(first).toMatchObject({ user: "ana", message: "oi" });
    expect(second).toMatchObject({ user: "caio", message: "um\ndois" });
    const since = JSON.stringify(last?.seen);
    expect(objects(await run(["history", "#geral", "--json", "--since", since]))).toHaveLength(1);
    const [, page] = objects(await run(["history", "#geral", "--json", "--limit", "1"]));
    const older = await run(["history", "#geral", "--before", String(page?.next)]);
    expect(older.stdout).toMatch(/ana: oi\n$/);
  });

  test("`send` stores each kind of line end as LF and drops the final one, from an argument or the input", async () => {
    await run(["login", "lia"]);
    const texts = [
      (await run(["send", "@lia", "um\r\ndois\r\n", "--user", "ana"])).code,
      (await run(["send", "@lia", "-", "--user", "ana"], "\ufeffum\r\ndois\r\n")).code,
      (await run(["send", "@lia", "-", "--user", "ana\r"], "um\rdois\r")).code,
    ];
    expect(texts).toEqual([0, 0, 0]);
    const kept = objects(await run(["history", "@lia", "--user", "lia", "--json"])).slice(0, -1);
    expect(kept.map(({ message }) => message)).toEqual(Array(3).fill("um\ndois"));
  });

  test("`send` refuses an empty text and a text of more than 4,096 characters", async () => {
    const long = await run(["send", "#geral", "-", "--user", "ana"], "ã".repeat(4_097));
    expect(long).toMatchObject({ code: 2, stdout: "" });
    expect(long.stderr).toBe(
      "tertulia: A message may have at most 4096 characters; nothing was sent.\n",
    );
    expect((await run(["send", "#geral", "-", "--user", "ana"], "")).code).toBe(2);
    const most = `${"ã".repeat(4_096)}\n`;
    expect((await run(["send", "#geral", "-", "--user", "ana"], most)).code).toBe(0);
  });

  test("`history` of another user shows only the messages between this user and the user who runs the command", async () => {
    await run(["send", "@ana", "psst", "--user", "bia"]);
    await run(["send", "@bia", "sim?", "--user", "ana"]);
    await run(["send", "@ana", "from caio", "--user", "caio"]);
    const { stdout } = await run(["history", "@ana", "--user", "bia"]);
    expect(stdout).toMatch(/^\S+ \S+ bia → ana: psst\n\S+ \S+ ana → bia: sim\?\n$/);
    const own = await run(["history", "@ana", "--user", "ana", "--limit", "2"]);
    expect(own.stdout).toMatch(/ana → bia: sim\?\n.* caio → ana: from caio\n$/);
    const unknown = await run(["send", "@nobody", "x", "--user", "newcomer"]);
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
  });

  test("a command prints a message's escape sequences unchanged in JSON and escaped in other output", async () => {
    await run(["send", "#geral", "\x1b[31mred\x07", "--user", "ana"]);
    const { stdout } = await run(["history", "#geral", "--limit", "1"]);
    expect(stdout).toMatch(/ana: ␛\[31mred␇\n$/);
    const [entry] = objects(await run(["history", "#geral", "--limit", "1", "--json"]));
    expect(entry?.message).toBe("\x1b[31mred\x07");
  });

  test("`time` prints the time of the cluster", async () => {
    const { stdout, code } = await run(["time"]);
    expect(code).toBe(0);
    expect(Math.abs(Date.parse(stdout.trim()) - Date.now())).toBeLessThan(10_000);
  });
});

describe("the command listen", () => {
  test("when a signal ends `listen`, the command prints a vector, from which a second `listen` continues without repeating a message", async () => {
    using listener = new CliProcess(["listen", "#geral", "--json"], commands.env);
    await listener.saw('{"seen":');
    await run(["send", "#geral", "one", "--user", "ana"]);
    await listener.saw('"message":"one"');
    listener.child.kill("SIGTERM");
    const heard = await listener.end();
    expect(heard.code).toBe(0);
    const since = JSON.stringify(objects(heard).at(-1)?.seen);
    await run(["send", "#geral", "two", "--user", "ana"]);
    using next = new CliProcess(["listen", "#geral", "--since", since], commands.env);
    await next.saw(": two\n");
    next.child.kill("SIGINT");
    const ended = await next.end();
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/ ana: two\n$/);
    // No message is printed by both listeners.
    const shown = objects(heard).flatMap(({ message }) => (message === undefined ? [] : [message]));
    for (const message of shown) expect(ended.stdout).not.toContain(` ana: ${message}\n`);
    expect(ended.stderr).toContain("--since '{");
  });

  test("`listen --since` with a time begins with the messages sent after this time", async () => {
    const { stdout: before } = await run(["time"]);
    await run(["send", "#geral", "after", "--user", "ana"]);
    using listener = new CliProcess(["listen", "#geral", "--since", before.trim()], commands.env);
    await listener.saw(": after\n");
    expect(listener.stdout.trimEnd().split("\n")).toHaveLength(1);
  });

  test("`listen` ends with code 1 and one sentence when its output is closed", async () => {
    using listener = new CliProcess(["listen", "#geral", "--since", "2026-01-01"], commands.env);
    await listener.saw(": oi");
    listener.child.stdout.destroy();
    await run(["send", "#geral", "into the void", "--user", "ana"]);
    const { code, stderr } = await listener.end();
    expect(code).toBe(1);
    const said = stderr.split("\n").filter((line) => line.startsWith("tertulia: "));
    expect(said).toEqual(["tertulia: The output was closed before all of it was written (EPIPE)."]);
    expect(stderr).not.toContain("    at ");
  });
});

describe("chat by lines", () => {
  test("chat by lines sends lines, shows messages, and never sends a mistyped command", async () => {
    const input = "/join #geral\n/quit now\nfrom lines\n/mgs ana secret\n/msg ana hi\n/quit\n";
    const { code, stdout, stderr } = await run(["chat", "--user", "dora"], input);
    expect(stdout).toContain("#geral dora: from lines");
    expect(stderr).toContain("There is no command /mgs; nothing was sent. Did you mean /msg?");
    expect(stderr).toContain("Write it like this: /quit");
    expect(code).toBe(1);
    expect((await run(["history", "#geral"])).stdout).not.toContain("secret");
    expect((await run(["history", "@dora", "--user", "ana"])).stdout).toContain("dora → ana: hi");
  });

  test("chat by lines ends with code 0 at the end of its input", async () => {
    expect(await run(["chat", "--user", "dora"], "/channels\n")).toMatchObject({
      code: 0,
      stdout: "geral\n",
    });
  });
});

describe("the use of the program", () => {
  test.each([
    [[]],
    [["nonsense"]],
    [["users", "--nonsense"]],
    [["send", "#geral"]],
    [["send", "geral", "x"]],
    [["history", "#geral", "--limit", "0"]],
    [["listen", "#geral", "--since", "yesterday"]],
    [["users", "--timeout", "soon"]],
    [["users", "--broker", "here"]],
    [["users", "--lang", "xx"]],
    [["servers"]],
    [["servers", "remove", "ana"]],
    [["health"]],
    [["menu"]],
  ])("a command with the wrong arguments %j ends with code 2 and prints no stack", async (args) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).not.toBe("");
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  test("each command's help in Portuguese has an example", async () => {
    const commands =
      "up broker proxy reference server bot chat menu login register users channels create send " +
      "history search listen time status health config";
    const groups = ["servers remove", "channels remove", "channels restore"];
    for (const command of [...commands.split(" "), ...groups]) {
      const { code, stdout } = await run([...command.split(" "), "--help", "--lang", "pt-br"]);
      expect(code, command).toBe(0);
      expect(stdout, command).toContain(`Exemplo:\n  $ tertulia ${command}`);
    }
  }, 60_000);

  test("--version prints a version number", async () => {
    expect((await run(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("an unreachable cluster", () => {
  const nowhere = ["--broker", "tcp://127.0.0.1:1", "--timeout", "1"];

  test.each([["users"], ["time"], ["history #geral"], ["listen #geral"], ["login ana"]])(
    "if no broker answers, `%s` ends with code 1 and one sentence that names the endpoint",
    async (command) => {
      const { code, stdout, stderr } = await run([...command.split(" "), ...nowhere]);
      expect(code).toBe(1);
      expect(stdout).toBe("");
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(stderr).toContain("No broker answers at tcp://127.0.0.1:1: ");
    },
  );

  test("without --timeout, a command gives up after about ten seconds if no broker answers", async () => {
    const startMs = performance.now();
    expect((await run(["users", ...nowhere.slice(0, 2)])).code).toBe(1);
    expect(performance.now() - startMs).toBeLessThan(13_000);
  });

  test("if no reference answers, `servers remove` ends with code 1 and a sentence that names the endpoint", async () => {
    const flags = ["--reference", "tcp://127.0.0.1:1", "--timeout", "1"];
    const { code, stderr } = await run(["servers", "remove", "server_00000000", ...flags]);
    expect(code).toBe(1);
    expect(stderr).toContain("No reference answers at tcp://127.0.0.1:1");
  });
});

describe("the command status", () => {
  test("`status` lists each process of a healthy cluster", async () => {
    const { code, stdout } = await run(["status"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^healthy · coordinator \S+ · epoch \S+ · view \d+: 3 of 3 members live/,
    );
    const { processes } = JSON.parse((await run(["status", "--json"])).stdout) as {
      processes: { role: string; live: boolean }[];
    };
    const roles = processes.filter(({ live }) => live).map(({ role }) => role);
    expect(roles).toEqual(["reference", "broker", "proxy", "server", "server", "server"]);
  });

  test("`status --watch` repeats the status until a signal ends it with code 0", async () => {
    using watch = new CliProcess(["status", "--watch", "--json"], commands.env);
    await until(() => watch.stdout.split("\n").length > 2, "it shows the status twice");
    watch.child.kill("SIGINT");
    expect((await watch.end()).code).toBe(0);
  });

  test("if no reference answers, `status` shows the servers' answer and ends with code 1", async () => {
    const { code, stdout, stderr } = await run(["status", "--reference", "tcp://127.0.0.1:1"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Problem: No reference answers\. Start it again .*\nunhealthy · /);
    expect(stderr).toBe("tertulia: The cluster has a problem.\n");
  });

  test("if no broker answers, `status` shows the processes that the reference lists and ends with code 1", async () => {
    const flags = ["--broker", "tcp://127.0.0.1:1", "--timeout", "1"];
    const { code, stdout, stderr } = await run(["status", ...flags]);
    expect(code).toBe(1);
    expect(stdout).toContain("proxy_");
    expect(stdout).toMatch(
      /^Problem: No server answers\. No broker answers at tcp:\/\/127\.0\.0\.1:1: start one /,
    );
    expect(stderr).toBe("tertulia: The cluster has a problem.\n");
  });

  test("`servers remove` refuses a live member, and `status` ends with code 1 while one of three members is live", async (context) => {
    context.skip(LocalCluster.hasEngine, "with an engine, nobody waits for a server that is gone");
    const [server] = commands.cluster.of("server");
    const refused = await run(["servers", "remove", server?.ready?.name ?? ""]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("The reference refused: ");
    const name = server?.ready?.name ?? "";
    const without = await run([
      "servers",
      "remove",
      name,
      "--data",
      `${commands.cluster.folder}/none`,
    ]);
    expect(without.code).toBe(1);
    expect(without.stderr).toMatch(/This requires the cluster's secret\. .* no secret at /);
    using _stopped = commands.cluster.withoutQuorum();
    let last: Ended | undefined;
    await until(async () => {
      last = await run(["status", "--timeout", "3"]);
      return last.stdout.includes("Live members: 1 of 3, and 2 are needed:");
    }, "the status is unhealthy");
    expect(last?.stdout).toContain("down");
    expect(last?.stdout).not.toContain("coordinator:");
    // It depends on the broker's choice whether the live server answers.
    expect(last?.stderr).toMatch(/^tertulia: The cluster has [34] problems\.\n$/);
    expect(last?.code).toBe(1);
  });
});
