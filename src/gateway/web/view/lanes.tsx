import type { Label, Layout } from "../../../client/core/trace/layout.ts";
import type { Text } from "../../../texts/texts.ts";
import type { Relation } from "../core/relations.ts";

interface Parts {
  readonly layout: Layout;
  readonly relations: readonly Relation[];
  readonly words: Text;
  readonly onPoint: (row: number) => void;
}

/** Only the lines of the processes are drawn here; the list shows the rest of the layout. */
const rowHeight = 26;
const headHeight = 40;
const numberWidth = 26;
const laneWidth = 96;

/** The lines of the processes with their steps and messages; time goes down. */
export function Lanes({ layout, relations, words, onPoint }: Parts) {
  const { lanes, rows, arrows } = layout;
  const top = (lanes[0]?.top ?? 0) - headHeight;
  const height = (lanes[0]?.bottom ?? 0) - top + 8;
  const right = (lanes.at(-1)?.x ?? 0) + laneWidth / 2;
  const width = right + numberWidth;
  return (
    <svg
      class="lanes"
      role="img"
      aria-label={words("cluster.lanes")}
      viewBox={`${-numberWidth} ${top} ${width} ${height}`}
      width={width}
      height={height}
    >
      {rows.map(({ y }, row) => (
        <rect
          key={row}
          class={`stripe is-${relations[row]}`}
          x={-numberWidth}
          y={y - rowHeight / 2}
          width={width}
          height={rowHeight}
          onPointerEnter={() => onPoint(row)}
        />
      ))}
      {lanes.map(({ x, top: from, bottom, isSilent }) => (
        <line
          key={x}
          class={isSilent ? "lane is-silent" : "lane"}
          x1={x}
          y1={from}
          x2={x}
          y2={bottom}
        />
      ))}
      {arrows.map(({ kind, from, to, head, isOpen }) => (
        <g key={`${from.x} ${from.y} ${to.x} ${to.y}`} class={`arrow is-${kind}`}>
          <line class={isOpen ? "is-open" : ""} x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
          <polygon points={head.map(({ x, y }) => `${x},${y}`).join(" ")} />
        </g>
      ))}
      {rows.map(({ x, y, clock }, row) => (
        <g key={row} class={`dot-of is-${relations[row]}`}>
          <text x={4 - numberWidth} y={y + 4} class="number">
            {row + 1}
          </text>
          <circle cx={x} cy={y} r={5} />
          <Words label={clock} look="clock-of" />
        </g>
      ))}
      {lanes.flatMap(({ heading }) =>
        heading.map((label) => (
          <Words key={`${label.x} ${label.y}`} label={label} look="name-of" />
        )),
      )}
    </svg>
  );
}

function Words({ label, look }: { readonly label: Label; readonly look: string }) {
  const { x, y, anchor, words } = label;
  return (
    <text class={look} x={x} y={y} text-anchor={anchor}>
      {words}
    </text>
  );
}
