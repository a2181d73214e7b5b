import { harmless } from "../../protocol/harmless.ts";
import { receiptIfAny } from "../original-server.ts";
import { type Context, channelOf, withClient } from "./context.ts";

/** `tertulia users`: prints the names of all users. */
export async function users(context: Context): Promise<void> {
  const names = await withClient(context, (client) => client.users());
  for (const user of names) context.output.data({ user }, harmless(user));
}

/** `tertulia channels`: prints the names of all channels. */
export async function channels(context: Context): Promise<void> {
  const names = await withClient(context, (client) => client.channels());
  for (const channel of names) context.output.data({ channel }, harmless(channel));
}

/** `tertulia create CHANNEL`: creates a channel. */
export async function create(context: Context, name: string): Promise<void> {
  const channel = channelOf(context, name);
  const entry = await withClient(context, (client) => receiptIfAny(client.createChannel(channel)));
  const done = entry === undefined ? "done.createOriginal" : "done.create";
  context.output.done({ channel, ...entry }, context.text(done, { channel }));
}

/** `tertulia time`: prints the cluster's time. */
export async function time(context: Context): Promise<void> {
  const now = await withClient(context, (client) => client.time());
  context.output.data({ time: now }, harmless(now));
}
