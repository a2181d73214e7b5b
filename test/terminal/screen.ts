import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cellsOf } from "../../src/client/core/cells.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { cliFile } from "./cli-process.ts";
import { closeTerminals, Terminal } from "./tmux-terminal.ts";

/** The picture in the README, which `npm run screen` draws from a chat of a real cluster. */
const target = fileURLToPath(new URL("../../docs/screen.svg", import.meta.url));
const [columns, rows] = [92, 18];
const [cell, line, margin] = [8.4, 18, 14];

const colours: Readonly<Record<number, string>> = {
  31: "#f07178",
  32: "#a5d6a7",
  33: "#ffcb6b",
  34: "#82aaff",
  35: "#c792ea",
  36: "#89ddff",
  92: "#c3e88d",
  94: "#9fc1ff",
  95: "#f5b3ff",
  96: "#b2ebf2",
};
const [background, foreground, dim] = ["#1b1e24", "#d7dae0", "#767c88"];

interface Look {
  colour: string;
  isBold: boolean;
  isDim: boolean;
}

const plain: Look = { colour: foreground, isBold: false, isDim: false };

function changed(look: Look, codes: string): Look {
  const next = { ...look };
  for (const code of codes.split(";").map(Number)) {
    if (code === 0) Object.assign(next, plain);
    else if (code === 1) next.isBold = true;
    else if (code === 2) next.isDim = true;
    else if (code === 39) next.colour = foreground;
    else next.colour = colours[code] ?? next.colour;
  }
  return next;
}

const escaped = (text: string) =>
  text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);

/** Returns a picture of a screen that tmux captured with colours as SGR sequences. */
function svg(captured: string): string {
  const width = columns * cell + 2 * margin;
  const height = rows * line + 2 * margin;
  let look = plain;
  const texts = captured.split("\n").flatMap((row, number) => {
    let at = 0;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: SGR sequences begin with ESC
    return [...row.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)].flatMap(([, codes, text]) => {
      if (codes !== undefined) look = changed(look, codes);
      if (text === undefined) return [];
      // Leading spaces are replaced by the text's position.
      const x = margin + (at + text.length - text.trimStart().length) * cell;
      at += cellsOf(text);
      const shown = text.trim();
      if (shown === "") return [];
      const cells = cellsOf(shown);
      const weight = look.isBold ? ' font-weight="bold"' : "";
      const y = margin + (number + 0.75) * line;
      const place = `x="${x.toFixed(1)}" y="${y.toFixed(1)}" textLength="${(cells * cell).toFixed(1)}"`;
      return `<text ${place} fill="${look.isDim ? dim : look.colour}"${weight}>${escaped(shown)}</text>`;
    });
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<rect width="100%" height="100%" rx="8" fill="${background}"/>`,
    `<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" style="white-space: pre">`,
    ...texts,
    "</g></svg>\n",
  ].join("\n");
}

const home = await mkdtemp(join(tmpdir(), "tertulia-screen-"));
await using cluster = await LocalCluster.start({ servers: 3 });
const [bia, caio] = [cluster.client(), cluster.client()];
await bia.login(parseUserName("bia"));
await caio.login(parseUserName("caio"));
for (const channel of ["geral", "café", "plantão"])
  await bia.createChannel(parseChannelName(channel));
const { broker, proxy, reference } = cluster.endpoints;
const endpoints = `--broker ${broker} --proxy ${proxy} --reference ${reference}`;
const chat = new Terminal(
  `TZ=UTC LANG=C.UTF-8 XDG_STATE_HOME=${home} ${process.execPath} ${cliFile} chat --user ana ${endpoints}`,
  { columns, rows },
);
const types = (text: string) => chat.types(`${text}\r`);
await chat.shows("/help explains it all");
for (const channel of ["plantão", "café", "geral"]) {
  types(`/join ${channel}`);
  await chat.shows(`› #${channel}`);
}
cluster.server(2).signal("SIGKILL");
await bia.publish(
  parseChannelName("geral"),
  "Good morning! I just killed a server. Did you notice? 🙂",
);
await caio.publish(parseChannelName("geral"), "Not a line missing here.");
await chat.shows("caio  Not a line");
types("Nor here. I went on typing, and it went on sending");
await chat.shows("on sending ✓");
await bia.publish(
  parseChannelName("geral"),
  "ana, shall we try the whole cluster at noon?\nAll three servers, and the broker.",
);
await caio.publish(parseChannelName("geral"), "/me fetches the popcorn");
await bia.publish(parseChannelName("café"), "Fresh coffee ☕");
await caio.publish(parseChannelName("plantão"), "@ana, disk of server 1 is at 80 %");
await caio.message(parseUserName("ana"), "lunch?");
await Promise.all([bia.presence("online"), caio.presence("away")]);
await until(() => /@caio.* 1 │/.test(chat.screen), "the private message is counted");
types("Noon is fine");
await chat.shows("fine ✓");
chat.types("@bia I'll bring the ");
await until(() => chat.screen.includes("•"), "who is there is known", 15_000);
await chat.shows("bring the");
await writeFile(target, svg(chat.colours));
process.stdout.write(chat.screen);
chat.killNow();
closeTerminals();
await rm(home, { recursive: true, force: true });
