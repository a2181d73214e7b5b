import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { Session } from "../../src/client/session.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster, type LocalClusterOptions } from "../../src/trials/local-cluster.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { cliFile } from "./cli-process.ts";
import { closeTerminals, Terminal } from "./tmux-terminal.ts";

/** For tests that wait until a server or the whole cluster is back. */
export const restartMs = 30_000;

export interface RunOptions {
  readonly env?: string;
  readonly rows?: number;
  readonly columns?: number;
  /** Started by a shell, which has the terminal while the job is stopped. */
  readonly isJob?: boolean;
}

export interface ChatOptions extends RunOptions {
  readonly flags?: string;
}

/** A cluster with the channel #geral, zoe who is always there, and people at terminals. */
export class Scene {
  cluster!: LocalCluster;
  zoe!: Session;
  /** Where people's chats keep what was read and what waits to be sent; every test has its own. */
  home!: TemporaryFolder;
  readonly #opened: Terminal[] = [];

  async begin(options: LocalClusterOptions): Promise<void> {
    this.cluster = await LocalCluster.start(options);
    this.zoe = this.cluster.client();
    await this.zoe.login(parseUserName("zoe"));
    await this.channel("geral");
  }

  async clear(): Promise<void> {
    // A terminal that is left to end by itself may still write.
    for (const terminal of this.#opened.splice(0)) terminal.killNow();
    closeTerminals();
    await this.home[Symbol.asyncDispose]();
  }

  get endpoints(): string {
    const { broker, proxy, reference } = this.cluster.endpoints;
    return `--broker ${broker} --proxy ${proxy} --reference ${reference}`;
  }

  /** A command of `tertulia` in a terminal of its own. */
  run(args: string, { env = "", isJob = false, ...size }: RunOptions = {}): Terminal {
    const places = `TZ=UTC LANG=C.UTF-8 XDG_STATE_HOME=${this.home.path}`;
    const command = `${places} ${env} ${process.execPath} ${cliFile} ${args}`;
    const terminal = new Terminal(isJob ? "bash --norc -i" : command, size);
    this.#opened.push(terminal);
    if (isJob) terminal.enter(command);
    return terminal;
  }

  chat(user: string, { flags = "", ...options }: ChatOptions = {}): Terminal {
    const args = `chat --user ${user} ${flags} ${this.endpoints}`;
    return this.run(args, { rows: 50, columns: 100, ...options });
  }

  /** Creates a channel, and opens a chat in it. */
  async chatIn(channel: string, user: string, options: ChatOptions = {}): Promise<Terminal> {
    await this.channel(channel);
    const terminal = this.chat(user, options);
    await join(terminal, channel);
    return terminal;
  }

  async channel(name: string): Promise<string> {
    await this.zoe.createChannel(parseChannelName(name));
    return name;
  }

  async texts(channel: string): Promise<string[]> {
    const { entries } = await this.zoe.history({ channel: channel as never });
    return entries.map(({ message }) => message);
  }

  /** No majority gets what is written meanwhile, so no write can be confirmed. */
  async withoutMajority(act: () => Promise<void>): Promise<void> {
    const stopped = [this.cluster.server(2), this.cluster.server(3)];
    for (const server of stopped) server.signal("SIGSTOP");
    try {
      await act();
    } finally {
      for (const server of stopped) server.signal("SIGCONT");
    }
  }
}

/** Set up for the tests of a file or a `describe`. */
export function scene(options: LocalClusterOptions = {}): Scene {
  const made = new Scene();
  beforeAll(() => made.begin(options), 60_000);
  beforeEach(async () => {
    made.home = await temporaryFolder();
  });
  afterEach(() => made.clear());
  afterAll(() => made.cluster?.[Symbol.asyncDispose](), 30_000);
  return made;
}

/** Writes a line into a chat, and waits until Enter is read: with more text it would be a paste. */
export async function enter(terminal: Terminal, line: string): Promise<void> {
  terminal.types(line);
  await terminal.shows(`› ${line}`);
  terminal.keys("Enter");
  await until(() => !terminal.screen.includes(`› ${line}`), `Enter behind ${line} is taken`);
}

export async function join(terminal: Terminal, channel: string): Promise<void> {
  // The chat has decided where it begins.
  await terminal.shows("› #");
  await enter(terminal, `/join ${channel}`);
  await terminal.shows(`› #${channel}`);
}

/** Writes a line, and waits until a majority has it. */
export async function say(terminal: Terminal, text: string): Promise<void> {
  await enter(terminal, text);
  await terminal.shows(`${text} ✓`, restartMs);
}

/** Quits, and the terminal is as it was. */
export async function quit(terminal: Terminal): Promise<void> {
  await enter(terminal, "/quit");
  await terminal.shows("code 0\nicanon", restartMs);
}
