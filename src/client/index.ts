/**
 * The package's entry point `tertulia/client`, for programs that use the cluster: bots, bridges,
 * tools. This project's own code does not import this file.
 */

export { newHookToken } from "../platform/hook-token.ts";
export type {
  ListedHook,
  PresenceState,
  Present,
  Receipt,
  Service,
} from "../protocol/client-messages.ts";
export { type ErrorCode, ProtocolError, type RefusalReason } from "../protocol/errors.ts";
export {
  type ChannelName,
  type HookId,
  type HookName,
  parseChannelName,
  parseHookName,
  parseRequestId,
  parseUserName,
  type RequestId,
  type ServerName,
  type UserName,
} from "../protocol/ids.ts";
export type { ChannelEntry, Entry, PrivateEntry } from "../protocol/publications.ts";
export type { FoundPage, HistoryPage, Reply } from "../protocol/replies.ts";
export type { HistoryOptions, RequestData, SearchOptions } from "../protocol/request-data.ts";
export type { ConversationName } from "../protocol/topics.ts";
export type { Vector } from "../protocol/vector.ts";
export { Connection, type ConnectionOptions } from "./connection.ts";
export type { ConnectionState } from "./connection-watch.ts";
export {
  type AskOptions,
  Session,
  type SessionOptions,
} from "./session.ts";
export type { SubscribeOptions, Subscription } from "./subscription.ts";
