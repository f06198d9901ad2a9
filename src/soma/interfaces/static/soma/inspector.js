// The panel that shows one turn from the inside. It renders a folded turn (turn.js), live or past alike.

import { byId, write } from "./dom.js";
import { ContextSection } from "./inspector-context.js";
import { HistorySection } from "./inspector-history.js";
import { IterationsSection } from "./inspector-iterations.js";
import { LearningSection } from "./inspector-learning.js";
import { SummarySection } from "./inspector-summary.js";

/** Shows one turn at a time; redraws at most once a frame. */
export class Inspector {
  #turn = null;
  #scheduled = false;

  constructor() {
    this.sections = [
      new SummarySection(byId("inspect-summary")),
      new IterationsSection(byId("inspect-iterations")),
      new LearningSection(byId("inspect-learning")),
      new HistorySection(byId("inspect-history")),
      new ContextSection(byId("inspect-evidence"), byId("inspect-lanes")),
    ];
  }

  /** Show `turn` from here on; null shows what the panel is for. */
  select(turn) {
    this.#turn = turn;
    for (const section of this.sections) section.reset();
    byId("inspector-empty").hidden = turn !== null;
    byId("inspector-body").hidden = turn === null;
    write(byId("inspector-turn"), turn ? turn.id : "");
    if (turn) this.#draw();
  }

  /** Redraw soon, when `turn` is the one shown. */
  changed(turn) {
    if (turn !== this.#turn || this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  #draw() {
    if (!this.#turn) return;
    for (const section of this.sections) section.draw(this.#turn);
  }
}
