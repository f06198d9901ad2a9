// Lines over an agent's checkpoints.

import { el, svg } from "./dom.js";
import { decimal } from "./format.js";

const WIDTH = 360;
const HEIGHT = 96;
const INSET = 5;
const FINEST = 0.02;

/** A chart of how far `series` [{name, symbol, values, shares}] have moved since the first checkpoint, in
 * `shares` of their bounds, all on one scale, which is never finer than FINEST; `kinds` says of each checkpoint
 * how it came about, `shown` is the place of the one to mark, or −1. */
export function historyChart({ label, series, kinds, shown }) {
  const count = kinds.length;
  const x = (index) => INSET + (index * (WIDTH - 2 * INSET)) / Math.max(1, count - 1);
  const moves = series.map(({ shares }) => shares.map((share) => share - shares[0]));
  const most = Math.max(FINEST, ...moves.flat().map(Math.abs));
  const y = (move) => HEIGHT / 2 - (move / most) * (HEIGHT / 2 - INSET);
  const drawing = svg("svg", { class: "history", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
    svg("title", {}, label), svg("line", { class: "history-zero", x1: 0, x2: WIDTH, y1: y(0), y2: y(0) }));
  if (shown >= 0) drawing.append(svg("line", { class: "history-shown", x1: x(shown), x2: x(shown), y1: 0, y2: HEIGHT }));
  kinds.forEach((kind, index) => {
    if (kind !== "turn") drawing.append(mark(kind, x(index)));
  });
  series.forEach(({ symbol }, place) => {
    const points = moves[place].map((move, index) => `${x(index).toFixed(1)},${y(move).toFixed(1)}`);
    if (points.length === 1) points.push(`${WIDTH - INSET},${y(0).toFixed(1)}`);
    drawing.append(svg("polyline", { class: `history-line is-line-${place}`, points: points.join(" ") }, svg("title", {}, symbol)));
  });
  return el("figure", { class: "history-figure" }, drawing, el("ul", { class: "history-legend" }, series.map(legend)));
}

function mark(kind, x) {
  const shape = svg("path", { class: `history-mark is-${kind}`, d: `M ${x - 3} ${HEIGHT} L ${x + 3} ${HEIGHT} L ${x} ${HEIGHT - 6} Z` });
  shape.append(svg("title", {}, kind));
  return shape;
}

function legend({ name, symbol, values }, place) {
  return el("li", { class: `is-line-${place}`, title: name }, el("span", {}, symbol), el("b", {}, decimal(values.at(-1))));
}
