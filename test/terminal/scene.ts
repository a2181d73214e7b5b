import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { Session } from "../../src/client/session.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster, type LocalClusterOptions } from "../../src/trials/local-cluster.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { cliFile } from "./cli-process.ts";
import { closeTerminals, Terminal } from "./tmux-terminal.ts";

/** The longest wait, in ms, until a restarted server or a restarted cluster is ready. */
export const restartMs = 30_000;

export interface RunOptions {
  readonly env?: string;
  readonly rows?: number;
  readonly columns?: number;
  /** Whether a shell starts the command as a job. */
  readonly isJob?: boolean;
}

export interface ChatOptions extends RunOptions {
  readonly flags?: string;
}

/** A cluster with the channel #geral, a session of the user zoe, and people at terminals. */
export class Scene {
  cluster!: LocalCluster;
  zoe!: Session;
  /** The folder of the chats' saved states and outboxes; each test has a new one. */
  home!: TemporaryFolder;
  readonly #opened: Terminal[] = [];

  async begin(options: LocalClusterOptions): Promise<void> {
    this.cluster = await LocalCluster.start(options);
    this.zoe = this.cluster.client();
    await this.zoe.login(parseUserName("zoe"));
    await this.channel("geral");
  }

  async clear(): Promise<void> {
    // A program may still write files while its terminal closes, so the programs are killed first.
    for (const terminal of this.#opened.splice(0)) terminal.killNow();
    closeTerminals();
    await this.home[Symbol.asyncDispose]();
  }

  get endpoints(): string {
    const { broker, proxy, reference } = this.cluster.endpoints;
    return `--broker ${broker} --proxy ${proxy} --reference ${reference}`;
  }

  /** Runs a command of `tertulia` in a new terminal. */
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

  /** Creates a channel, and opens a chat that joins this channel. */
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

  /** Runs `act` while so many servers are stopped that no write can be committed. */
  async withoutMajority(act: () => Promise<void>): Promise<void> {
    using _stopped = this.cluster.withoutQuorum();
    await act();
  }
}

/** A scene whose cluster starts before the tests of a file or a `describe` and stops after them. */
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

/**
 * Types a line, and waits until the chat has read Enter. Text directly after Enter would count as
 * part of a paste.
 */
export async function enter(terminal: Terminal, line: string): Promise<void> {
  terminal.types(line);
  await terminal.shows(`› ${line}`);
  terminal.keys("Enter");
  await until(() => !terminal.screen.includes(`› ${line}`), `Enter behind ${line} is taken`);
}

export async function join(terminal: Terminal, channel: string): Promise<void> {
  // Waits until the chat shows the conversation with which it begins.
  await terminal.shows("› #");
  await enter(terminal, `/join ${channel}`);
  await terminal.shows(`› #${channel}`);
}

/** Types a line, and waits until its message is acknowledged. */
export async function say(terminal: Terminal, text: string): Promise<void> {
  await enter(terminal, text);
  await terminal.shows(`${text} ✓`, restartMs);
}

/** Quits the chat, and waits until the terminal is restored. */
export async function quit(terminal: Terminal): Promise<void> {
  await enter(terminal, "/quit");
  await terminal.shows("code 0\nicanon", restartMs);
}
