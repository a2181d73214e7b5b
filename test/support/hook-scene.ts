import { limits } from "../../src/protocol/limits.ts";
import type { ChannelEntry } from "../../src/protocol/publications.ts";
import type { FloodPaces } from "../../src/server/core/serving/flood.ts";
import { type Fields, Scene } from "./account-scene.ts";

/** Returns a token as long as the shortest one that servers take. */
export const tokenOf = (text: string) => text.padEnd(limits.hookTokenCharactersLeast, "-");
/** The data of a request for a hook of ana. */
export const deploy = {
  user: "ana",
  channel: "geral",
  name: "deploy",
  hookToken: tokenOf("deploy"),
};

/** Returns a cluster with accounts and a channel of ana, and the requests about hooks in it. */
export function furnish(flood?: FloodPaces) {
  const scene = new Scene(flood);
  const ana = scene.user("ana");
  scene.ask("channel", { channel: "geral", token: ana });
  const make = (more: Fields = {}) => scene.ask("hook", { ...deploy, token: ana, ...more });
  const post = (message: string, more: Fields = {}) =>
    scene.ask("post", { hookToken: deploy.hookToken, message, ...more });
  const entries = () => {
    const page = scene.ask("history", { channel: "geral", token: ana });
    return (page.entries as ChannelEntry[]).map(({ user, hook, message }) => [user, hook, message]);
  };
  return { scene, ana, make, post, entries };
}

/** The error for a hook that does not exist, or is revoked. */
export const gone = { status: "erro", code: "hook_not_found", retry: false };
