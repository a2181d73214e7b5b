import { expect, test } from "vitest";
import { ClusterView } from "../../../src/server/engine/cluster-view.ts";
import { serverName } from "../../support/event-lines.ts";

const names = [1, 2, 3].map(serverName);
const view = { number: 3, members: names };

/** Whether a server with an engine finds replicas beside it, by this reply of the reference. */
function hasReplicas(reply: object): boolean {
  const found = new ClusterView({ name: serverName(9), self: {}, disbelievedClocks: () => 0 });
  found.hear({ ...reply });
  return found.hasReplicas;
}

const listed = (count: number, more: object) =>
  names.slice(0, count).map((name) => ({ name, role: "server", ...more }));

test("[K11] a server with an engine finds replicas beside it if a quorum of the view lives", () => {
  const replica = { isKnown: true };
  expect(hasReplicas({ view, list: listed(2, replica) })).toBe(true);
  expect(hasReplicas({ view, list: listed(1, replica) })).toBe(false);
  expect(hasReplicas({ view: { number: 0, members: [] }, list: listed(3, replica) })).toBe(false);
});

test("[K11] [X1] neither servers with an engine nor guests with the names of members count as replicas", () => {
  expect(hasReplicas({ view, list: listed(3, { isKnown: true, hasEngine: true }) })).toBe(false);
  expect(hasReplicas({ view, list: listed(3, { isKnown: false }) })).toBe(false);
});

test("[K11] a reference of the original protocol has no view, so there are no replicas", () => {
  expect(hasReplicas({ list: listed(3, { isKnown: true }) })).toBe(false);
});
