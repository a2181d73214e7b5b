import { run } from "./run.ts";
const [from, count] = [Number(process.argv[2] ?? 1), Number(process.argv[3] ?? 100)];
let acknowledged = 0;
const started = performance.now();
let bad = 0;
for (let seed = from; seed < from + count; seed += 1) {
  const outcome = run(seed);
  acknowledged += outcome.acknowledged;
  if (outcome.broken !== undefined) {
    bad += 1;
    if (bad <= 1) console.log(seed, outcome.story.slice(-30).map(l=>l.slice(0,1200)).join("\n"));
    else console.log(seed, outcome.broken.slice(0, 200));
  }
}
console.log("seeds", count, "bad", bad, "ms each", Math.round((performance.now() - started) / count), "acks", acknowledged);
