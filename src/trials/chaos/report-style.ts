/**
 * The report's style sheet. Colour-blind readers can tell its colours apart (Okabe and Ito), in
 * light and dark.
 */
export const reportStyle = `
:root {
  --ground: #fcfcfa; --panel: #ffffff; --ink: #22262b; --faint: #6b737c; --line: #e3e5e8;
  --good: #11734b; --bad: #b3261e;
  --kill: #c8500a; --stop: #d99a00; --cut: #0a6ab0; --slow: #00916b; --reset: #b5618f; --promote: #7a2e0e;
  --gap: #c8500a1c; --bar: #8fa3b5; --coordinator: #5b4b9a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15181b; --panel: #1c2024; --ink: #e6e8ea; --faint: #98a1aa; --line: #2e343a;
    --good: #5fd0a0; --bad: #ff8f85;
    --kill: #f08a4b; --stop: #f0c14b; --cut: #5fb2ea; --slow: #3fc79f; --reset: #dd93bd; --promote: #f7c3a0;
    --gap: #f08a4b26; --bar: #5d7184; --coordinator: #a99be6;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 24px; font-weight: 600; margin: 0 0 4px; }
h2 { font-size: 16px; font-weight: 600; margin: 36px 0 8px; }
p { margin: 4px 0; }
.verdict { font-weight: 600; }
.good { color: var(--good); }
.bad, .bad dd { color: var(--bad); }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px;
  margin: 20px 0;
}
.tiles div {
  background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px;
}
dt { color: var(--faint); font-size: 13px; }
dd { margin: 0; font-size: 22px; font-variant-numeric: tabular-nums; }
figure {
  margin: 8px 0 0; padding: 8px; overflow-x: auto;
  background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
}
svg { display: block; width: 100%; min-width: 720px; height: auto; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; color: var(--faint); }
.legend i {
  display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px;
  vertical-align: -1px;
}
svg text { fill: var(--faint); font-size: 12px; font-variant-numeric: tabular-nums; }
svg text.name { fill: var(--ink); }
.grid { stroke: var(--line); stroke-width: 1; }
.kill { fill: var(--kill); background: var(--kill); }
.stop { fill: var(--stop); background: var(--stop); }
.cut { fill: var(--cut); background: var(--cut); }
.slow { fill: var(--slow); background: var(--slow); }
.reset { fill: var(--reset); background: var(--reset); }
.promote { fill: var(--promote); background: var(--promote); }
.gap { fill: var(--gap); background: var(--gap); }
.rate { fill: var(--bar); }
.term { fill: var(--coordinator); background: var(--coordinator); opacity: .6; }
i.failover { background: var(--coordinator); border-radius: 50%; }
.failover path { fill: none; stroke: var(--coordinator); stroke-width: 2; }
.failover circle { fill: var(--coordinator); }
.lasting { opacity: .45; }
.p50, .p99, .max { fill: none; stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; }
.p50 { stroke: var(--slow); background: var(--slow); }
.p99 { stroke: var(--cut); background: var(--cut); }
.max { stroke: var(--kill); background: var(--kill); }
table { border-collapse: collapse; font-size: 14px; }
td { padding: 3px 18px 3px 0; vertical-align: top; font-variant-numeric: tabular-nums; }
tr + tr td { border-top: 1px solid var(--line); }
details { margin-top: 36px; }
summary { cursor: pointer; font-weight: 600; margin-bottom: 8px; }
`;
