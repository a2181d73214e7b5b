import type { ReferenceLink } from "../net/reference-link.ts";
import { retrying } from "../platform/retry.ts";
import type { ServerName } from "../protocol/ids.ts";
import { durations } from "../protocol/limits.ts";
import { noView, parseView } from "../protocol/view.ts";
import { readName } from "../storage/identity.ts";
import { type Slot, takeSlot } from "../storage/slot-lock.ts";

/** Locks a free slot, preferably one whose server is a member of the present view (J4). */
export async function chooseSlot(slots: string, link: ReferenceLink): Promise<Slot> {
  const members = await presentMembers(link);
  return takeSlot(slots, async (folder) => {
    const name = await readName(folder);
    return name !== undefined && members.includes(name) ? 0 : 1;
  });
}

async function presentMembers(link: ReferenceLink): Promise<readonly ServerName[]> {
  try {
    const list = () => link.ask("list", {}).then(({ view }) => parseView(view).members);
    return await retrying({ mostTries: 5, pauseMs: durations.pollMs }, list);
  } catch {
    return noView.members;
  }
}
