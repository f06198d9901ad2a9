// One turn's event stream. EventSource reconnects with Last-Event-ID by itself; this adds what it lacks:
// a stated connection state, no frame twice, and a reason when the service refuses the stream.

import { getTurn, refreshSession, turnPath } from "./api.js";

const EVENTS = [
  "turn.started", "plan", "answer.delta", "tool.intent", "tool.delta", "tool.done",
  "verify", "learn", "answer", "turn.completed", "turn.failed",
];
const LAST = new Set(["turn.completed", "turn.failed"]);
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

/** Follows a turn from its first frame to its last. */
export class TurnStream {
  #source = null;
  #last = 0;
  #attempt = 0;
  #timer = 0;
  #done = false;

  /** `onFrame({id, event, data})` in order; `onState("open" | "reconnecting" | "ended")`; `onRefused(problem)`. */
  constructor(turnId, { onFrame, onState, onRefused }) {
    Object.assign(this, { turnId, onFrame, onState, onRefused });
    this.#open();
  }

  /** Stop listening. The turn itself goes on. */
  close() {
    this.#done = true;
    clearTimeout(this.#timer);
    this.#source?.close();
  }

  #open() {
    this.#source = new EventSource(`${turnPath(this.turnId)}/events?after=${this.#last}`);
    this.#source.addEventListener("open", () => {
      this.#attempt = 0;
      this.onState("open");
    });
    this.#source.addEventListener("error", () => this.#interrupted());
    for (const name of EVENTS) this.#source.addEventListener(name, (message) => this.#receive(name, message));
  }

  #receive(event, message) {
    const id = Number(message.lastEventId);
    if (this.#done || id <= this.#last) return;
    this.#last = id;
    this.onFrame({ id, event, data: JSON.parse(message.data) });
    if (!LAST.has(event)) return;
    this.close();
    this.onState("ended");
  }

  #interrupted() {
    if (this.#done) return;
    this.onState("reconnecting");
    if (this.#source.readyState === EventSource.CLOSED) this.#explain();
  }

  // The browser gave up, which it does on any answer that is not a stream, and does not say why: ask.
  async #explain() {
    try {
      await getTurn(this.turnId);
      this.#retry();
    } catch (problem) {
      if (problem.signedOut && this.#attempt === 0 && (await refreshed())) this.#retry();
      else if (problem.status === 0 || problem.status >= 500) this.#retry();
      else this.#refuse(problem);
    }
  }

  #retry() {
    if (this.#done) return;
    const delay = RETRY_MS[Math.min(this.#attempt, RETRY_MS.length - 1)];
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#open(), delay);
  }

  #refuse(problem) {
    if (this.#done) return;
    this.close();
    this.onRefused(problem);
  }
}

const refreshed = () => refreshSession().then(() => true, () => false);
