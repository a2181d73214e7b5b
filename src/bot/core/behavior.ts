import type { ChannelName } from "../../protocol/ids.ts";

/** A bot chooses the text of each message at random from this list. */
const botTexts = [
  "Olá, sou um bot!",
  "Mensagem automática",
  "Testando o sistema",
  "Bot em ação",
  "Mensagem de teste",
  "Sistema funcionando",
  "Publicação automática",
  "Bot ativo",
  "Teste de carga",
  "Mensagem gerada automaticamente",
] as const;

/** The channel that a bot creates in a cluster without channels. */
export const firstChannel = "geral" as ChannelName;

export interface Burst {
  readonly channel: ChannelName;
  readonly texts: readonly string[];
}

/** Chooses a channel and `size` texts at random. @returns undefined if there is no channel */
export function nextBurst(
  channels: readonly ChannelName[],
  size: number,
  random: () => number,
): Burst | undefined {
  const channel = pick(channels, random);
  if (channel === undefined) return undefined;
  return { channel, texts: Array.from({ length: size }, () => pick(botTexts, random) ?? "") };
}

function pick<T>(items: readonly T[], random: () => number): T | undefined {
  return items[Math.floor(random() * items.length)];
}

/** @returns `bot_` and five random letters or digits */
export function botName(random: () => number): string {
  const letters = Array.from({ length: 5 }, () => Math.floor(random() * 36).toString(36));
  return `bot_${letters.join("")}`;
}
