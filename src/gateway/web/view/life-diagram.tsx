import { useMemo, useRef, useState } from "preact/hooks";
import { type Diagram, diagramOf } from "../../../client/core/trace/diagram.ts";
import { type Layout, layoutOf } from "../../../client/core/trace/layout.ts";
import { shivizLog } from "../../../client/core/trace/shiviz.ts";
import { svgOf } from "../../../client/core/trace/svg.ts";
import {
  lineName,
  msColumn,
  notesOf,
  pointWords,
  titleOf,
  writeNumbers,
} from "../../../client/core/trace/words.ts";
import type { Trace } from "../../../protocol/steps.ts";
import type { Text } from "../../../texts/texts.ts";
import { saveFile } from "../browser.ts";
import { type Relation, relationsTo } from "../core/relations.ts";
import type { Page } from "../page.ts";
import { Lanes } from "./lanes.tsx";

interface Parts {
  readonly page: Page;
  readonly trace: Trace;
  readonly onAgain: () => void;
}

/** The life of an event: a space-time diagram, its steps as a list, and what is missing. */
export function LifeDiagram({ page, trace, onAgain }: Parts) {
  const { words } = page;
  const { language } = page.model.preferences;
  const { diagram, layout } = useMemo(() => {
    const drawn = diagramOf(trace);
    return { diagram: drawn, layout: layoutOf(drawn, words) };
  }, [trace, language]);
  return (
    <article class="life" aria-labelledby="life-title">
      <h3 id="life-title">{titleOf(diagram, words)}</h3>
      {diagram.points.length > 0 && <Steps diagram={diagram} layout={layout} words={words} />}
      <ul class="notes">
        {notesOf(diagram, words).map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
      <p class="buttons">
        <button type="button" onClick={onAgain}>
          {words("cluster.again")}
        </button>
        {diagram.points.length > 0 && <Downloads diagram={diagram} words={words} />}
      </p>
    </article>
  );
}

function Downloads({ diagram, words }: { readonly diagram: Diagram; readonly words: Text }) {
  const { server, seq } = diagram.event ?? { server: "event", seq: 0 };
  const name = `${server}-${seq}`;
  const svg = () => saveFile(`${name}.svg`, "image/svg+xml", svgOf(diagram, words));
  const log = () => saveFile(`${name}.log`, "text/plain", shivizLog(diagram, words));
  return (
    <>
      <button type="button" onClick={svg}>
        {words("cluster.saveSvg")}
      </button>
      <button type="button" onClick={log}>
        {words("cluster.saveShiviz")}
      </button>
    </>
  );
}

/** The word beside a step says the same as its colour. */
const marks = {
  chosen: undefined,
  before: "cluster.before",
  after: "cluster.after",
  concurrent: "cluster.beside",
} as const;

/** The lines of the processes beside the list of steps, of which one is chosen. */
function Steps({
  diagram,
  layout,
  words,
}: {
  readonly diagram: Diagram;
  readonly layout: Layout;
  readonly words: Text;
}) {
  const { points } = diagram;
  const names = diagram.lines.map((line) => lineName(line, words));
  const list = useRef<HTMLOListElement>(null);
  const [chosen, setChosen] = useState(0);
  const [pointed, setPointed] = useState<number>();
  const at = Math.min(pointed ?? chosen, points.length - 1);
  const point = points[at];
  if (point === undefined) return null;
  const relations = relationsTo(point, points);
  const times = msColumn(diagram);
  const numbers = (wanted: Relation) => {
    const found = relations.flatMap((relation, index) => (relation === wanted ? [index + 1] : []));
    return found.length === 0 ? words("cluster.none") : writeNumbers(found);
  };
  const sentence = words("cluster.relations", {
    number: at + 1,
    before: numbers("before"),
    after: numbers("after"),
    beside: numbers("concurrent"),
  });
  const press = (event: KeyboardEvent) => {
    const steps: Readonly<Record<string, number>> = {
      ArrowUp: chosen - 1,
      ArrowDown: chosen + 1,
      Home: 0,
      End: points.length - 1,
    };
    const to = steps[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const index = Math.max(0, Math.min(points.length - 1, to));
    list.current?.querySelectorAll<HTMLElement>("li")[index]?.focus();
  };
  return (
    <>
      <p class="hint">{words("cluster.stepsHint")}</p>
      <p class="relations" role="status">
        {sentence}
      </p>
      <div class="diagram" onPointerLeave={() => setPointed(undefined)}>
        <Lanes layout={layout} relations={relations} words={words} onPoint={setPointed} />
        <div class="steps">
          <p class="step" aria-hidden="true">
            <span>#</span>
            <span>ms</span>
            <span>{words("trace.step")}</span>
          </p>
          <ol
            ref={list}
            // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a list, of which one step is chosen
            role="listbox"
            aria-label={words("cluster.steps")}
            onKeyDown={press}
          >
            {points.map((one, index) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the list handles the keys
              <li
                key={`${one.line} ${one.vector.join()}`}
                // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: as above
                role="option"
                class={`step is-${relations[index]}`}
                aria-selected={index === chosen}
                tabIndex={index === Math.min(chosen, points.length - 1) ? 0 : -1}
                onFocus={() => setChosen(index)}
                onClick={({ currentTarget }) => currentTarget.focus()}
                onPointerEnter={() => setPointed(index)}
              >
                <span>{index + 1}</span>
                <span>{times[index]}</span>
                <span>
                  <b>{names[one.line]}</b> {pointWords(one, words)}
                </span>
                <Mark relation={relations[index]} words={words} />
              </li>
            ))}
          </ol>
        </div>
      </div>
    </>
  );
}

function Mark({
  relation = "chosen",
  words,
}: {
  readonly relation: Relation | undefined;
  readonly words: Text;
}) {
  const key = marks[relation];
  return <span class="mark">{key === undefined ? "" : words(key)}</span>;
}
