import { ProtocolError } from "../../protocol/errors.ts";
import { type Fields, fieldsOf, isMap, textIfAny } from "../../protocol/fields.ts";

/**
 * What a game server and its clients send each other: `{comando, dados}`, as JSON. The format is that
 * of the origin: the card game from which this part of the project comes.
 */
export interface Message {
  readonly comando: string;
  readonly dados: object;
}

export interface Command {
  readonly name: string;
  readonly fields: Fields;
}

export function encodeMessage({ comando, dados }: Message): Buffer {
  return Buffer.from(JSON.stringify({ comando, dados }));
}

/**
 * @param fallback the command of a payload without one: the clients of the origin enter the queue
 * with bare data
 * @throws ProtocolError `bad_request`
 */
export function parseCommand(payload: Uint8Array, fallback?: string): Command {
  const value = parsed(payload);
  if (!isMap(value)) throw wrong();
  const name = textIfAny(value.comando);
  if (name !== undefined) return { name, fields: fieldsOf(value.dados) };
  if (fallback === undefined) throw wrong();
  return { name: fallback, fields: value.dados === undefined ? value : fieldsOf(value.dados) };
}

function parsed(payload: Uint8Array): unknown {
  // An empty payload says no more than its topic does.
  if (payload.byteLength === 0) return {};
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    throw wrong();
  }
}

function wrong(): ProtocolError {
  return new ProtocolError("bad_request", "A command is JSON with `comando` and `dados`.");
}
