// Follows one turn: its stream, folded, shown in the dialogue and in the inspector.

import { Problem, getTrace } from "./api.js";
import { TurnStream } from "./stream.js";
import { apply, enrich, newTurn } from "./turn.js";

/** Follows `turnId` until it ends or `stop` is called. */
export class Watch {
  #scheduled = false;
  #stopped = false;
  #ticking = 0;

  /** `answer` is an AnswerView or null; `live` says that frames arrive as they happen.
   * `onFrame(turn)` when there is more to show, `onEnd(turn)` and `onRefused(problem)` report. */
  constructor(turnId, { answer = null, live = false, onFrame, onEnd, onRefused }) {
    Object.assign(this, { answer, live, onFrame, onEnd });
    this.turn = newTurn(turnId);
    if (live) this.#tick();
    this.answer?.connection("connecting", this.turn);
    this.stream = new TurnStream(turnId, {
      onFrame: (frame) => this.#frame(frame),
      onState: (state) => this.#state(state),
      onRefused: (problem) => {
        this.answer?.fail(problem);
        onRefused(problem);
      },
    });
  }

  /** Stop following; the turn goes on. */
  stop() {
    this.#stopped = true;
    clearInterval(this.#ticking);
    this.stream.close();
  }

  // A slow model can be silent for long: the seconds that pass show that the turn is alive.
  #tick() {
    const since = performance.now();
    this.#ticking = setInterval(() => {
      this.turn.elapsed = performance.now() - since;
      this.#drawSoon();
    }, 1000);
  }

  #frame(frame) {
    apply(this.turn, frame, this.#timeOf(frame));
    this.onFrame(this.turn);
    this.#drawSoon();
  }

  // A frame carries its own time; without one, the moment of arrival stands in while the turn is live.
  #timeOf({ data }) {
    const own = Date.parse(data.at ?? "");
    if (!Number.isNaN(own)) return own;
    return this.live ? performance.timeOrigin + performance.now() : null;
  }

  #state(state) {
    if (state === "ended") {
      clearInterval(this.#ticking);
      this.answer?.update(this.turn);
      this.onEnd(this.turn);
      this.#complete();
    } else this.answer?.connection(state, this.turn);
  }

  // The stream says what happened, the trace how long it took. Without it the panel only shows less.
  async #complete() {
    try {
      enrich(this.turn, await getTrace(this.turn.id));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      return;
    }
    this.answer?.update(this.turn);
    this.onFrame(this.turn);
  }

  #drawSoon() {
    if (this.#scheduled || !this.answer) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      if (!this.#stopped) this.answer.update(this.turn);
    });
  }
}
