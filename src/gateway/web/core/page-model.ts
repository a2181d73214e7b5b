import type { ChatModel } from "../../../client/core/chat-model.ts";
import type { Language } from "../../../texts/texts.ts";
import type { ClusterModel } from "./cluster-model.ts";

/** How the page looks, and what it may do, on this device. */
export interface Preferences {
  readonly language: Language;
  readonly theme: Theme;
  /** Whether messages for the person are told by the browser while the page is hidden. */
  readonly notifies: boolean;
}

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

/** Why there is no connection to a gateway. */
export const lossReasons = ["offline", "noGateway", "unready", "noSockets", "stopping"] as const;
export type LossReason = (typeof lossReasons)[number];

/** The connection to the gateway. */
export type LinkState =
  | { readonly state: "connecting" | "connected" }
  | {
      readonly state: "lost";
      readonly why: LossReason;
      /** What the gateway itself says; undefined if it says nothing. */
      readonly detail?: string | undefined;
      readonly retryAtMs: number;
    };

export type Dialog = "switch" | "settings" | "help";

export interface PageModel {
  readonly preferences: Preferences;
  /** False in an open cluster, where a name needs no password; undefined while unknown. */
  readonly hasAccounts: boolean | undefined;
  /** The chat of the logged-in person. */
  readonly chat: ChatModel | undefined;
  /** True if the session has ended: the person must log in again, and the chat goes on. */
  readonly isEnded: boolean;
  readonly link: LinkState;
  /** The cluster at work; undefined in the chat. */
  readonly cluster: ClusterModel | undefined;
  readonly dialog: Dialog | undefined;
  /** On a narrow screen: whether the list of conversations is shown instead of a conversation. */
  readonly showsList: boolean;
  readonly nowMs: number;
}
