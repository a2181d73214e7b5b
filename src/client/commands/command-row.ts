import type { Context } from "./context.ts";
import type { Definition } from "./define.ts";

/** Commands that have subcommands and no action of their own. */
export const groups = ["servers", "accounts"] as const;

/** A client command. Any error that `act` throws is printed as one sentence. */
export type ClientCommand = Definition & {
  /** The parent command, if this command is a subcommand. */
  readonly parent?: (typeof groups)[number] | "channels" | "hooks" | "shop" | "cards" | "matches";
  act(context: Context, args: readonly string[], flags: never): Promise<void> | void;
};

/**
 * Settings by which a command finds the cluster's secret. An operator with the secret needs no
 * session.
 */
export const administering = ["data", "secretFile", "cluster", "curve"] as const;
