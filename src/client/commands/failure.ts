import { addressesOf } from "../../platform/endpoint.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { FileTrouble } from "../../storage/kept-file.ts";
import type { Text } from "../../texts/texts.ts";
import type { ClientConfig } from "../config.ts";
import { OriginalServerError } from "../original-server.ts";
import type { Session } from "../session.ts";
import { Failure } from "./report.ts";

interface Told {
  readonly config: ClientConfig;
  readonly text: Text;
}
type Connected = Pick<Session, "connection">;

/**
 * Turns a ProtocolError into a Failure with one sentence for the person. @returns `error` itself if
 * it is not a ProtocolError
 */
export function asFailure(error: ProtocolError, context: Told, client: Connected): Failure;
export function asFailure(error: unknown, context: Told, client: Connected): unknown;
export function asFailure(error: unknown, { config, text }: Told, client: Connected): unknown {
  if (!(error instanceof ProtocolError)) return error;
  if (wantsLogin(error)) {
    const user = config.user ?? config.session?.user ?? config.loginName ?? "NAME";
    return new Failure(`${describe(error, text)} ${text("problem.logIn", { user })}`, error);
  }
  if (error.code !== "unavailable") return new Failure(describe(error, text), error);
  const { state, refusal } = client.connection;
  if (state !== "connected") {
    const endpoints = addressesOf(config.brokers);
    return new Failure(text(`problem.${refusal ?? "noBroker"}`, { endpoints }), error);
  }
  if (error.message === noAnswer) {
    const seconds = config.timeoutMs / 1_000;
    return new Failure(text("problem.noServer", { seconds }), error);
  }
  return new Failure(text("error.unavailable"), error);
}

/** Whether an error means that the person must log in. */
export function wantsLogin(
  error: unknown,
): error is ProtocolError & { readonly code: "unauthenticated" } {
  if (!(error instanceof ProtocolError)) return false;
  return error.code === "unauthenticated" && error.reason !== "password_wrong";
}

/** Describes in one sentence what a server refused, and why. */
export function describe(error: ProtocolError, text: Text): string {
  if (error instanceof OriginalServerError) {
    const { outcome, service, words } = error;
    return text(`original.${outcome}`, { service, words: harmless(words) });
  }
  const { code, reason, message, wait = 1 } = error;
  if (reason !== undefined) return text(`reason.${reason}`);
  return text(`error.${code}`, { description: harmless(message), wait: Math.ceil(wait) });
}

/** Describes a damaged or unreadable file to the person. */
export function describeTrouble(trouble: FileTrouble, text: Text): string {
  if ("aside" in trouble) return text("problem.fileDamaged", trouble);
  if ("copy" in trouble) return text("problem.fileCopied", trouble);
  return text("problem.fileUnreadable", trouble);
}

/** The client library's error message if no reply arrived. */
const noAnswer = "No server answered in time.";
