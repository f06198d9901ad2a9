// Small drawings in SVG. Colours come from the style sheet by class.

import { svg } from "./dom.js";
import { percent } from "./format.js";

const SWEEP = 270;
const START = 135;

function arc(radius, share) {
  const [x1, y1] = onCircle(radius, 0);
  const [x2, y2] = onCircle(radius, share);
  const large = share * SWEEP > 180 ? 1 : 0;
  return `M ${x1} ${y1} A ${radius} ${radius} 0 ${large} 1 ${x2} ${y2}`;
}

function onCircle(radius, share) {
  const angle = ((START + SWEEP * share) * Math.PI) / 180;
  return [24 + radius * Math.cos(angle), 24 + radius * Math.sin(angle)].map((value) => value.toFixed(2));
}

const clamp = (value) => Math.min(1, Math.max(0, value));

/** A dial of confidence, with a mark at the convergence score where that differs; both in [0, 1] or null. */
export function gauge({ confidence, convergence, label }) {
  const known = typeof confidence === "number";
  const drawing = svg("svg", { class: "gauge", viewBox: "0 0 48 44", role: "img", "aria-label": label },
    svg("title", {}, label), svg("path", { class: "gauge-track", d: arc(19, 1) }));
  if (known && confidence > 0.005) drawing.append(svg("path", { class: `gauge-fill ${level(confidence)}`, d: arc(19, clamp(confidence)) }));
  if (typeof convergence === "number" && !(Math.abs(convergence - confidence) < 0.02)) {
    const [x1, y1] = onCircle(16, clamp(convergence));
    const [x2, y2] = onCircle(22.5, clamp(convergence));
    drawing.append(svg("line", { class: "gauge-mark", x1, y1, x2, y2 }));
  }
  drawing.append(svg("text", { class: "gauge-text", x: 24, y: 28.5, "text-anchor": "middle" }, known ? percent(confidence) : "–"));
  return drawing;
}

/** What the dial shows, in words. */
export const gaugeLabel = (confidence, convergence) =>
  `Confidence ${percent(confidence)} %, convergence ${percent(convergence)} %`;

/** `low` under a half, `fair` under three quarters, `high` from there. */
export const level = (confidence) => (confidence < 0.5 ? "low" : confidence < 0.75 ? "fair" : "high");

/** A line through `values`, scaled to their own range but never finer than `resolution`. */
export function sparkline(values, { width = 56, height = 18, resolution = 0.01 } = {}) {
  const drawing = svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  if (!values.length) return drawing;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = Math.max(high - low, resolution);
  const middle = (low + high) / 2;
  const inset = 2.5;
  const x = (index) => inset + (index * (width - 2 * inset)) / Math.max(1, values.length - 1);
  const y = (value) => height / 2 - ((value - middle) / span) * (height - 2 * inset);
  const points = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`);
  if (points.length === 1) points.push(`${width - inset},${y(values[0]).toFixed(1)}`);
  const [endX, endY] = points.at(-1).split(",");
  drawing.append(svg("polyline", { class: "spark-line", points: points.join(" ") }), svg("circle", { class: "spark-end", cx: endX, cy: endY, r: 1.8 }));
  return drawing;
}
