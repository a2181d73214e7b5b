import { expect, test } from "vitest";
import { PeerLinks } from "../../src/server/peer-links.ts";
import { serverName } from "../support/event-lines.ts";

test("[W7] a peer that announces an invalid endpoint does not end the process", async () => {
  const links = new PeerLinks(undefined as never, "");
  for (const address of ["\n{}", "tcp://[:1", "tcp://%%%", "nonsense"]) {
    expect(() => links.watch(serverName(1), address, () => {})).not.toThrow();
  }
  links.close();
});
