import { source as axe } from "axe-core";
import type { Person } from "./people.ts";

/** @returns what breaks WCAG 2.2 A or AA on the present screen, a sentence for each place */
export async function faultsOf({ page }: Person): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(`axe
    .run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => id + ": " + html + " " + failureSummary)))`);
}
