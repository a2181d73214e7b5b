import { Problem } from "../../platform/problem.ts";
import type { Receipt } from "../../protocol/client-messages.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { characters, type RequestId, type UserName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { plainText } from "../../protocol/plain-text.ts";
import type { Text } from "../../texts/texts.ts";
import { type Target, writeTarget } from "../core/target.ts";
import { receiptIfAny } from "../original-server.ts";
import type { Session } from "../session.ts";
import { type Context, targetOf, userOf, withClient } from "./context.ts";
import { readAll } from "./read-input.ts";

/** `tertulia send TARGET TEXT`: sends a message to a channel or a user. */
export async function send(context: Context, to: string, words: string): Promise<void> {
  const { text, output } = context;
  const target = targetOf(context, to);
  const user = userOf(context);
  const message = await messageOf(context, words);
  const { receipt, loggedIn } = await withClient(context, (client) =>
    deliver(client, { user, target, text: message }),
  );
  if (loggedIn) output.note(text("note.loggedInFirst", { user }));
  const sentence = sentSentence(text, target, receipt);
  output.done({ ...target, user, ...receipt }, sentence);
}

/** @returns a sentence for the person whose message a server has accepted */
export function sentSentence(text: Text, to: Target, receipt: Receipt | undefined): string {
  const target = writeTarget(to);
  return receipt === undefined
    ? text("done.sendOriginal", { target })
    : text("done.send", { target, count: receipt.durable.length });
}

interface Delivery {
  readonly user: UserName;
  readonly target: Target;
  readonly text: string;
  /** The id of a previous try, which may have succeeded; by default, a new id. */
  readonly id?: RequestId;
  /** Called when the message is sent. */
  readonly onSend?: () => void;
}

/**
 * Sends a message. If the servers do not know the user, logs the user in and resends the message.
 * Both requests have one id, so that the message takes effect once.
 * @returns the receipt; undefined if a server of the original protocol accepted the message
 */
export async function deliver(
  client: Session,
  delivery: Delivery,
): Promise<{ receipt: Receipt | undefined; loggedIn: boolean }> {
  const { user } = delivery;
  const { id = client.newId() } = delivery;
  try {
    return { receipt: await sendOnce(client, delivery, id), loggedIn: false };
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== "user_not_found") throw error;
    // The error does not say whether the sender or the receiver is unknown. A login helps only if
    // the sender is unknown.
    if (await client.knowsUser(user)) throw error;
  }
  await client.login(user);
  return { receipt: await sendOnce(client, delivery, id), loggedIn: true };
}

function sendOnce(
  client: Session,
  { target, text, onSend }: Delivery,
  id: RequestId,
): Promise<Receipt | undefined> {
  onSend?.();
  return receiptIfAny(
    target.channel === undefined
      ? client.message(target.user, text, { id })
      : client.publish(target.channel, text, { id }),
  );
}

/**
 * @param words the message; `-` reads it from standard input
 * @throws Problem (exit code 2) if the message is empty or too long
 */
export async function messageOf({ host, text }: Context, words: string): Promise<string> {
  const most = limits.messageCharacters;
  const message = words === "-" ? await readAll(host.input, most) : plainText(words);
  if (message === undefined || characters(message) > most) {
    host.input.destroy();
    throw new Problem(text("problem.messageTooLong", { most }), 2);
  }
  if (message === "") throw new Problem(text("problem.messageEmpty"), 2);
  return message;
}
