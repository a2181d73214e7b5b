// A program that asks an endpoint again and again, and prints each answer: `ask-again.ts ENDPOINT`.
import { Requester } from "../../src/net/requester.ts";

const requester = new Requester([process.argv[2] as string], { waits: true });
for (;;) {
  const answer = await requester.ask(Buffer.from("who?"), 200).catch(() => "none");
  process.stdout.write(`${answer}\n`);
}
