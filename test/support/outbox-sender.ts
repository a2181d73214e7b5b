// A program that sends the messages of an outbox: `outbox-sender.ts FOLDER BROKER HOW TEXT…`.
// HOW: `keep` only accepts the texts; `forget` sends them and ignores the receipts; `send` sends
// them and settles each at its receipt.
import { Connection } from "../../src/client/connection.ts";
import type { Outgoing } from "../../src/client/core/outgoing.ts";
import { parseTarget, type Target } from "../../src/client/core/target.ts";
import { Outbox } from "../../src/client/outbox.ts";
import type { UserName } from "../../src/protocol/ids.ts";
import { textsIn } from "../../src/texts/texts.ts";

const [folder = "", broker = "", how, ...texts] = process.argv.slice(2);
const targets = ["#geral", "@bia"].map((text) => parseTarget(text) as Target);

const outbox = Outbox.open(folder, () => textsIn("en"));
const user = "ana" as UserName;
using connection = new Connection({ brokers: [broker], proxies: [] });
const session = connection.session({ user });

async function send({ id, target, text }: Outgoing): Promise<void> {
  if (target.channel === undefined) await session.message(target.user, text, { id });
  else await session.publish(target.channel, text, { id });
  if (how === "send") outbox.settle(id);
}

for (const text of texts) {
  for (const target of targets) outbox.add(target, user, text);
}
process.stdout.write("accepted\n");
if (how !== "keep") await Promise.all(outbox.waiting.map(send));
process.stdout.write(`sent, ${outbox.waiting.length} wait\n`);
// The process stays until it is killed.
setInterval(() => outbox.waiting, 60_000);
