import type { RequestId, ServerName } from "./ids.ts";
import type { Vector } from "./vector.ts";
import type { View } from "./view.ts";

/** Counts of the messages that a process has dropped since its start (X1). */
export interface RefusedMessages {
  /** Messages without a valid MAC of this cluster's secret. */
  forged: number;
  /** Messages with a valid MAC that came late or were replayed. */
  stale: number;
}

/** Space on the disk of a server's data folder, in bytes. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What is wrong with the decisions of a server; it has a field for each fault. */
export interface DecisionFaults {
  /** The slot at which this server and another one have applied different decisions. */
  readonly differs?: number | undefined;
  /** The kind of the operation that this server does not know, and at which it has stopped (D5). */
  readonly unknownKind?: string | undefined;
  /** Whether a server of version 0.1.0 has written accounts, which have no effect (O60). */
  readonly hasFormer?: true | undefined;
}

/** What a process tells about itself for `status`. Processes of older versions tell less. */
export interface SelfReport {
  readonly version?: string | undefined;
  /** The fingerprints of the process's secrets; the one in use comes first (O55). */
  readonly secrets?: readonly string[] | undefined;
  readonly refused?: Readonly<RefusedMessages> | undefined;
  readonly disbelievedClocks?: number | undefined;
  /** Only servers report it. */
  readonly disk?: DiskSpace | undefined;
  /** Only servers report it. */
  readonly decisionFaults?: DecisionFaults | undefined;
  /** Whether the server keeps everything in an engine, and is never a member. */
  readonly hasEngine?: true | undefined;
}

export const roles = ["server", "broker", "proxy", "reference", "gateway", "game", "bot"] as const;
export type Role = (typeof roles)[number];

export interface Listed extends SelfReport {
  readonly name: string;
  readonly rank: number;
  readonly address: string;
  readonly role: Role;
  readonly clock: number;
  readonly pid?: number | undefined;
  /**
   * Whether the process has proven that it has the cluster's secret (X1). Decisions never depend on
   * a guest.
   */
  readonly isKnown: boolean;
  /** Whether guest servers may connect to this broker or proxy. */
  readonly guestServers?: boolean | undefined;
}

export type ReferenceRequest = { readonly clock: number; readonly id?: RequestId | undefined } & (
  | { readonly service: "rank"; readonly user: string; readonly address?: string | undefined }
  | { readonly service: "list" }
  | ({ readonly service: "heartbeat" } & HeartbeatReport)
  | { readonly service: "leave"; readonly user: ServerName }
  | { readonly service: "remove"; readonly user: ServerName; readonly force: boolean }
  | { readonly service: "health" }
);

export interface HeartbeatReport extends SelfReport {
  readonly user: string;
  readonly address?: string | undefined;
  readonly role?: Role | undefined;
  readonly pid?: number | undefined;
  readonly guestServers?: boolean | undefined;
  /** The server's adopted view and, in `durable`, its durable vector, read at the same instant. */
  readonly view?: View | undefined;
  readonly durable?: Vector | undefined;
  /** Whether the server has caught up, so that it may become a member. */
  readonly ready?: boolean | undefined;
}

/**
 * The reply to a member's heartbeat. The reply to a guest's heartbeat has only `timestamp` and
 * `clock`.
 */
export interface HeartbeatReply {
  readonly view: View;
  readonly list: readonly Listed[];
  /**
   * True while a reference without a file waits for servers to report a view, before it makes its
   * first view.
   */
  readonly waiting: boolean;
}
