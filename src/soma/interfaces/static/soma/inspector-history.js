// The agent's weights and neuromodulators over its turns, with the turn that is shown marked among them.

import { Problem, getLearning } from "./api.js";
import { el } from "./dom.js";
import { plural } from "./format.js";
import { historyChart } from "./history-chart.js";
import { NEUROMODULATORS, WEIGHTS, position } from "./inspector-learning.js";

const CHECKPOINTS = 100;
const GROUPS = [["weights", "Weights", WEIGHTS], ["neuromodulators", "Neuromodulators", NEUROMODULATORS]];

/** Draws a chart for each group into `root`, once the turn has ended and its agent is known. */
export class HistorySection {
  #drawn = "";
  #turn = null;

  constructor(root) {
    this.root = root;
    document.addEventListener("feedback-taken", ({ detail }) => {
      if (this.#turn?.id === detail.turn) this.#load(this.#turn);
    });
  }

  reset() {
    this.#drawn = "";
    this.#turn = null;
    this.root.replaceChildren();
    this.root.closest("section").hidden = true;
  }

  draw(turn) {
    this.#turn = turn;
    if (!turn.agent || this.#drawn === turn.id) return;
    this.#drawn = turn.id;
    this.#load(turn);
  }

  // Without leave to look at what the agent has learned, the panel only shows less.
  async #load(turn) {
    let found;
    try {
      found = await getLearning(turn.agent, CHECKPOINTS);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      return;
    }
    if (this.#drawn === turn.id && found.checkpoints.length) this.#show(found.checkpoints, turn.id);
  }

  #show(checkpoints, turnId) {
    const kinds = checkpoints.map(({ kind }) => kind);
    const shown = checkpoints.findLastIndex(({ turn_id: turn }) => turn === turnId);
    const charts = GROUPS.map(([key, title, group]) => historyChart({
      label: `${title} over ${plural(checkpoints.length, "checkpoint")}`,
      series: group.map((entry) => series(entry, checkpoints.map((each) => each[key]))),
      kinds, shown,
    }));
    this.root.replaceChildren(...charts, el("p", { class: "history-note" }, note(checkpoints, shown)));
    this.root.closest("section").hidden = false;
  }
}

function series([name, symbol, plain, low, high], states) {
  const values = states.map((state) => state[name]);
  return { name: plain, symbol, values, shares: values.map((value) => position(value, low, high)) };
}

function note(checkpoints, shown) {
  const place = shown < 0 ? "this turn is not among them" : `this turn is ${checkpoints[shown].sequence}`;
  return `Moves since checkpoint ${checkpoints[0].sequence}, up to ${checkpoints.at(-1).sequence}; ${place}. Triangles: feedback, rollbacks.`;
}
