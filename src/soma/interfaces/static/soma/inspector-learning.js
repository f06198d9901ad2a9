// The learned weights and neuromodulators, moving with each `learn` frame.

import { sparkline } from "./charts.js";
import { el, write } from "./dom.js";
import { change, decimal } from "./format.js";
import { ordered } from "./turn.js";

// Name in the frames, symbol, plain name, bounds, meaning. Where the lower bound is above 0 and the upper
// many times it, the bar is logarithmic: a linear one would never be seen to move.
export const WEIGHTS = [
  ["alpha", "α", "similarity", 0.1, 5, "Weight of dense similarity in recall"],
  ["beta", "β", "graph", 0, 2, "Weight of graph neighbours in recall"],
  ["gamma", "γ", "recency", 0, 1, "Weight of recency in recall; scales the memory lane"],
  ["tau", "τ", "temperature", 0.4, 1.2, "Temperature of the choice among evidence"],
  ["lambda", "λ", "confidence", 0.1, 5, "Worth of expected confidence to the planner"],
  ["mu", "μ", "cost", 0.01, 5, "Worth of cost to the planner"],
  ["nu", "ν", "latency", 0.01, 5, "Worth of latency to the planner"],
];
export const NEUROMODULATORS = [
  ["dopamine", "DA", "dopamine", 0.2, 0.8, "Follows the reward prediction error; scales the learning rate"],
  ["serotonin", "5HT", "serotonin", 0, 1, "Stability; lowers the temperature, raises patience"],
  ["norepinephrine", "NE", "norepinephrine", 0, 1, "Urgency; shortens deadlines, prefers fast models"],
  ["acetylcholine", "ACh", "acetylcholine", 0, 1, "Attention; widens recall and the memory lane"],
];

/** Draws both groups into `root`, keeping the rows so that bars glide instead of jumping. */
export class LearningSection {
  #rows = new Map();

  constructor(root) {
    this.root = root;
  }

  reset() {
    this.#rows.clear();
    this.root.replaceChildren();
    this.root.closest("section").hidden = true;
  }

  draw(turn) {
    const learned = ordered(turn).map((iteration) => iteration.learn).filter((learn) => learn?.weights_after);
    if (!learned.length) return;
    if (!this.#rows.size) this.#build();
    this.#move(WEIGHTS, learned, "weights");
    this.#move(NEUROMODULATORS, learned, "neuromodulators");
  }

  #build() {
    this.root.closest("section").hidden = false;
    for (const [group, label] of [[WEIGHTS, "Weights"], [NEUROMODULATORS, "Neuromodulators"]]) {
      const rows = group.map((entry) => this.#row(entry));
      this.root.append(el("ul", { class: "meters", "aria-label": label }, rows));
    }
  }

  #row([name, symbol, plain, low, high, meaning]) {
    const row = {
      node: el("li", { class: "meter", title: `${meaning} (${low} to ${high})` }),
      bar: el("span", { class: "meter-bar", "aria-hidden": "true" }),
      spark: el("span", { class: "meter-spark" }),
      value: el("span", { class: "meter-value" }),
      delta: el("span", { class: "meter-delta" }),
    };
    row.node.append(el("span", { class: "meter-symbol", "aria-hidden": "true" }, symbol),
      el("span", { class: "meter-name" }, plain), row.bar, row.spark, row.value, row.delta);
    this.#rows.set(name, row);
    return row.node;
  }

  #move(group, learned, kind) {
    const last = learned.at(-1);
    for (const [name, , , low, high] of group) {
      const row = this.#rows.get(name);
      const [before, after] = [last[`${kind}_before`]?.[name], last[`${kind}_after`]?.[name]];
      const history = [learned[0][`${kind}_before`]?.[name], ...learned.map((step) => step[`${kind}_after`]?.[name])];
      const delta = change(after - before);
      row.bar.style.setProperty("--share", position(after, low, high).toFixed(4));
      row.spark.replaceChildren(sparkline(history.filter(Number.isFinite)));
      write(row.value, decimal(after));
      write(row.delta, delta);
      row.delta.className = `meter-delta ${delta.startsWith("+") ? "is-up" : delta ? "is-down" : ""}`;
    }
  }
}

/** Where `value` stands between its bounds, in [0, 1]. */
export function position(value, low, high) {
  const scale = low > 0 && high / low > 10 ? Math.log : Number;
  return (scale(value) - scale(low)) / (scale(high) - scale(low));
}
