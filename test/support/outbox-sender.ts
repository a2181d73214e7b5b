// A process of its own that sends what is in its outbox: `outbox-sender.ts FOLDER BROKER HOW TEXT…`.
// HOW: `keep` only accepts the texts; `forget` sends them, and takes no note of the receipts; `send`.
import { ChatClient } from "../../src/client/chat-client.ts";
import type { Outgoing } from "../../src/client/core/outgoing.ts";
import { parseTarget, type Target } from "../../src/client/core/target.ts";
import { Outbox } from "../../src/client/outbox.ts";
import type { UserName } from "../../src/protocol/ids.ts";
import { textsIn } from "../../src/texts/texts.ts";

const [folder = "", broker = "", how, ...texts] = process.argv.slice(2);
const targets = ["#geral", "@bia"].map((text) => parseTarget(text) as Target);

const outbox = Outbox.open(folder, () => textsIn("en"));
await using client = new ChatClient({ brokers: [broker], proxies: [] });

async function send({ id, user, target, text }: Outgoing): Promise<void> {
  if (target.channel === undefined) await client.message(user, target.user, text, id);
  else await client.publish(user, target.channel, text, id);
  if (how === "send") outbox.settle(id);
}

for (const text of texts) {
  for (const target of targets) outbox.add(target, "ana" as UserName, text);
}
process.stdout.write("accepted\n");
if (how !== "keep") await Promise.all(outbox.waiting.map(send));
process.stdout.write(`sent, ${outbox.waiting.length} wait\n`);
// Until it is killed.
setInterval(() => outbox.waiting, 60_000);
