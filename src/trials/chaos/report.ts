import type { TrialText } from "../texts/texts.ts";
import type { ChaosResult } from "./chaos.ts";
import { escaped, faultKinds, latencyChart, rateChart, timeline } from "./charts.ts";
import { describeFailover, describeFault, inSeconds, ruleRows, summary } from "./describe.ts";
import { reportStyle } from "./report-style.ts";

/** Returns a run's report as one HTML file without dependencies. */
export function reportPage(result: ChaosResult, text: TrialText): string {
  const { verdict, performed } = result;
  const { seed, ok } = verdict;
  const title = escaped(text("title", { seed }));
  return `<!doctype html>
<html lang="${text("language")}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="verdict ${ok ? "good" : "bad"}">${escaped(text(ok ? "ok" : "broken"))}</p>
${tiles(result, text)}
${summary(verdict, text)
  .map((sentence) => `<p>${escaped(sentence)}</p>`)
  .join("\n")}
<h2>${escaped(text("timeline"))}</h2>
${legend(text)}
${figure(
  timeline(result, {
    fault: (fault) => describeFault(fault, text),
    failover: (failover) => describeFailover(failover, text),
  }),
)}
<h2>${escaped(text("perSpan"))}</h2>
${figure(rateChart(result))}
<h2>${escaped(text("latency"))}</h2>
${latencyLegend(text)}
${figure(latencyChart(result))}
<h2>${escaped(text("promises"))}</h2>
${promises(result, text)}
${breaches(result, text)}
${failovers(result, text)}
<details>
<summary>${escaped(text("allFaults", { count: performed.length }))}</summary>
<table>
${performed
  .map((fault) => row([`${inSeconds(fault.atMs)} s`, escaped(describeFault(fault, text))]))
  .join("\n")}
</table>
</details>
</main>
</body>
</html>
`;
}

function tiles({ verdict }: ChaosResult, text: TrialText): string {
  const { acknowledged, lost, doubled, diverged, kills } = verdict;
  const list: [string, string, boolean][] = [
    [text("acknowledged"), String(acknowledged), true],
    [text("lost"), String(lost), lost === 0],
    [text("doubled"), String(doubled), doubled === 0],
    [text("diverged"), String(diverged), diverged === 0],
    [text("killed"), String(kills), true],
    [text("longestPause"), `${inSeconds(verdict.longestPauseMs)} s`, true],
    [text("longestLatency"), `${inSeconds(verdict.longestLatencyMs)} s`, true],
    [text("namesOwned"), String(verdict.claims.won), true],
    [text("failoverCount"), String(verdict.failovers.length), true],
  ];
  const items = list.map(([name, value, isGood]) => {
    const tone = isGood ? "" : ' class="bad"';
    return `<div${tone}><dt>${escaped(name)}</dt><dd>${value}</dd></div>`;
  });
  return `<dl class="tiles">${items.join("")}</dl>`;
}

function legend(text: TrialText): string {
  const words = {
    kill: text("legendKill"),
    stop: text("legendStop"),
    cut: text("legendCut"),
    slow: text("legendSlow"),
    reset: text("legendReset"),
    promote: text("legendPromote"),
  };
  const items = faultKinds.map((kind) => key(kind, words[kind]));
  const others = [
    key("term", text("legendTerm")),
    key("failover", text("legendFailover")),
    key("gap", text("legendGap")),
  ];
  return `<p class="legend">${[...items, ...others].join("")}</p>`;
}

function latencyLegend(text: TrialText): string {
  const items = [
    key("p50", text("median")),
    key("p99", text("percentile")),
    key("max", text("maximum")),
  ];
  return `<p class="legend">${items.join("")}</p>`;
}

function key(kind: string, words: string): string {
  return `<span><i class="${kind}"></i>${escaped(words)}</span>`;
}

function figure(svg: string): string {
  return `<figure>${svg}</figure>`;
}

function promises({ verdict }: ChaosResult, text: TrialText): string {
  const rows = ruleRows(verdict, text).map(({ name, count, meaning }) => {
    return row([escaped(name), String(count), escaped(meaning)], count > 0 ? "bad" : "");
  });
  return `<table>\n${rows.join("\n")}\n</table>`;
}

function failovers({ failovers }: ChaosResult, text: TrialText): string {
  if (failovers.length === 0) return "";
  const rows = failovers.map((failover) => {
    return row([`${inSeconds(failover.atMs)} s`, escaped(describeFailover(failover, text))]);
  });
  const title = escaped(text("allFailovers", { count: failovers.length }));
  return `<details>\n<summary>${title}</summary>\n<table>\n${rows.join("\n")}\n</table>\n</details>`;
}

function breaches({ verdict }: ChaosResult, text: TrialText): string {
  if (verdict.examples.length === 0) return "";
  const items = verdict.examples.map((example) => `<li>${escaped(example)}</li>`);
  return `<h2>${escaped(text("breaches"))}</h2>\n<ul class="bad">${items.join("")}</ul>`;
}

function row(cells: readonly string[], tone = ""): string {
  const inside = cells.map((cell) => `<td>${cell}</td>`).join("");
  return tone ? `<tr class="${tone}">${inside}</tr>` : `<tr>${inside}</tr>`;
}
