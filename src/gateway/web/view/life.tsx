import { useEffect, useRef, useState } from "preact/hooks";
import { spokenText } from "../../../client/core/slash-command.ts";
import { harmless } from "../../../protocol/harmless.ts";
import type { Entry } from "../../../protocol/publications.ts";
import type { Trace } from "../../../protocol/steps.ts";
import { pause } from "../browser.ts";
import type { ClusterWatch } from "../cluster-watch.ts";
import type { Page } from "../page.ts";
import { LifeDiagram } from "./life-diagram.tsx";

/** A message that was just sent goes on for a moment, so its steps are asked for again. */
const asksAfterSending = 3;
const betweenAsksMs = 700;
/** The most channels that the field suggests; it takes others too. */
const mostSuggested = 200;

/** A channel and its newest messages. */
interface Listed {
  readonly channel: string;
  readonly entries: readonly Entry[];
}

interface Parts {
  readonly page: Page;
  readonly watch: ClusterWatch;
  /** Undefined if nobody is logged in, as an open cluster allows. */
  readonly user: string | undefined;
}

/** The life of a message, which the person sends, chooses among the newest ones, or names. */
export function Life({ page, watch, user }: Parts) {
  const { words } = page;
  const [channels, setChannels] = useState<readonly string[]>([]);
  const [channel, setChannel] = useState("");
  const [listed, setListed] = useState<Listed>({ channel: "", entries: [] });
  const [problem, setProblem] = useState("");
  const [trace, setTrace] = useState<Trace>();
  /** What the person wants to see; answers about something else come too late. */
  const wanted = useRef("");
  const wantedChannel = useRef("");
  const attempt = async (act: () => Promise<void>) => {
    setProblem("");
    await act().catch((error: unknown) => setProblem(page.describe(error)));
  };
  const open = async (name: string) => {
    wantedChannel.current = name;
    setChannel(name);
    const entries = name === "" ? [] : await watch.newest(name);
    if (wantedChannel.current === name) setListed({ channel: name, entries });
  };
  useEffect(() => {
    void attempt(async () => {
      const names = await watch.channels();
      setChannels(names);
      // The person may be faster than the gateway.
      if (wantedChannel.current === "") await open(names[0] ?? "");
    });
  }, []);
  const follow = (of: string, mostAsks = 1) =>
    attempt(async () => {
      wanted.current = of;
      for (let asked = 1; asked <= mostAsks; asked += 1) {
        if (asked > 1) await pause(betweenAsksMs);
        const found = await watch.trace(of);
        if (wanted.current !== of) return;
        setTrace(found);
      }
    });
  const send = (text: string) =>
    attempt(async () => {
      const id = await watch.send(channel, text);
      await Promise.all([follow(id, asksAfterSending), open(channel)]);
    });
  return (
    <section aria-labelledby="life">
      <h2 id="life">{words("cluster.life")}</h2>
      <p class="hint">{words("cluster.lifeHint")}</p>
      <div class="ways">
        <div>
          <Channel
            page={page}
            written={channel}
            channels={channels}
            onWrite={setChannel}
            onChoose={(name) => attempt(() => open(name))}
          />
          <Sending page={page} isAllowed={user !== undefined} onSend={send} />
        </div>
        <Newest page={page} {...listed} onChoose={(id) => follow(id)} />
        <ById page={page} onChoose={(id) => follow(id)} />
      </div>
      <p role="alert" class="problem">
        {problem}
      </p>
      {trace !== undefined && (
        <LifeDiagram
          key={`${trace.event?.server}/${trace.event?.seq}`}
          page={page}
          trace={trace}
          onAgain={() => void follow(wanted.current)}
        />
      )}
    </section>
  );
}

function Channel({
  page,
  written,
  channels,
  onWrite,
  onChoose,
}: {
  readonly page: Page;
  readonly written: string;
  readonly channels: readonly string[];
  readonly onWrite: (text: string) => void;
  readonly onChoose: (name: string) => Promise<void>;
}) {
  return (
    <>
      <label>
        {page.words("cluster.channel")}
        <input
          list="channels"
          autocomplete="off"
          value={written}
          onInput={({ currentTarget }) => onWrite(currentTarget.value)}
          onChange={({ currentTarget }) => {
            void onChoose(currentTarget.value.replace(/^#/, "").trim());
          }}
        />
      </label>
      <datalist id="channels">
        {channels.slice(0, mostSuggested).map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  );
}

function Sending({
  page,
  isAllowed,
  onSend,
}: {
  readonly page: Page;
  readonly isAllowed: boolean;
  readonly onSend: (text: string) => Promise<void>;
}) {
  const { words } = page;
  const [text, setText] = useState("");
  if (!isAllowed) return <p class="hint">{words("cluster.noName")}</p>;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void onSend(text);
      }}
    >
      <label>
        {words("cluster.message")}
        <input
          required
          dir="auto"
          autocomplete="off"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      <button type="submit" class="main">
        {words("cluster.send")}
      </button>
    </form>
  );
}

function Newest({
  page,
  channel,
  entries,
  onChoose,
}: Listed & {
  readonly page: Page;
  readonly onChoose: (id: string) => Promise<void>;
}) {
  if (entries.length === 0) return null;
  return (
    <div>
      <h3>{page.words("cluster.newest", { name: `#${harmless(channel)}` })}</h3>
      <ul>
        {entries.map((entry) => (
          <li key={`${entry.server} ${entry.seq}`}>
            <button type="button" class="row" onClick={() => void onChoose(entry.id)}>
              <span class="name">
                <bdi>{harmless("user" in entry ? entry.user : entry.src)}</bdi>:{" "}
                <bdi>{harmless(spokenText(entry.message))}</bdi>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function ById({
  page,
  onChoose,
}: {
  readonly page: Page;
  readonly onChoose: (id: string) => Promise<void>;
}) {
  const { words } = page;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget).get("id");
        void onChoose(String(given ?? "").trim());
      }}
    >
      <label>
        {words("cluster.id")}
        <input name="id" required autocomplete="off" aria-describedby="id-hint" />
      </label>
      <p id="id-hint" class="hint">
        {words("cluster.idHint")}
      </p>
      <button type="submit">{words("cluster.show")}</button>
    </form>
  );
}
