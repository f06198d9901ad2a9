// The conversation that is open: sending, following, cancelling, looking into turns.

import { Problem, cancelTurn, newKey, sendMessage } from "./api.js";
import { Composer } from "./composer.js";
import { Dialogue } from "./dialogue.js";
import { byId, write } from "./dom.js";
import { headline } from "./inspector-summary.js";
import { Inspector } from "./inspector.js";
import { Watch } from "./watch.js";

const TITLE_LENGTH = 60;
const REMEMBERED_TURNS = 40;

/** Ties the dialogue, the composer and the inspector together. */
export class Chat {
  #live = null;
  #replay = null;
  #known = new Map();
  #cutOff = false;

  /** `onSignedOut()` when the session has ended; `onChanged()` when the list of conversations may differ;
   * `onInspect()` when the reader asked to see a turn. */
  constructor({ onSignedOut, onChanged, onInspect }) {
    Object.assign(this, { onSignedOut, onChanged });
    this.inspector = new Inspector();
    this.dialogue = new Dialogue({
      onInspect: (turnId) => (this.inspect(turnId), onInspect()),
      onRefused: (problem) => this.#announceProblem(problem),
    });
    this.composer = new Composer({ onSend: (text) => this.send(text), onStop: () => this.cancel() });
  }

  /** Take over what `#dialogue` now holds. */
  opened() {
    this.#leave();
    this.dialogue.hydrate();
    const pending = this.dialogue.pendingTurn;
    if (pending) this.#follow(pending, { live: false });
    else if (this.dialogue.newestTurn) this.inspect(this.dialogue.newestTurn);
    else this.inspector.select(null);
  }

  /** Start over with nothing said. The conversation is made when the first message is sent. */
  startNew() {
    notify("");
    this.#leave();
    this.dialogue.welcome();
    this.inspector.select(null);
    history.pushState(null, "", "/");
    this.composer.focus();
  }

  /** Send `text`; the box keeps it until the service has it. */
  async send(text) {
    this.composer.state = "sending";
    notify("");
    try {
      if (!this.dialogue.conversation) await this.#create(text);
    } catch (problem) {
      this.composer.state = "idle";
      this.#announceProblem(problem);
      return;
    }
    this.composer.clear();
    await this.#deliver(text, newKey());
  }

  /** Ask the service to cancel the running turn. */
  async cancel() {
    if (!this.#live) return;
    announce("Cancelling");
    try {
      await cancelTurn(this.#live.turn.id);
    } catch (problem) {
      if (problem.status !== 409) this.#announceProblem(problem);
    }
  }

  /** There is a session again: take up the turn that lost its stream when the old one ended. */
  restored() {
    if (!this.#cutOff) return;
    window.htmx.ajax("GET", `/console/conversations/${this.dialogue.conversation}`, { target: "#dialogue" });
  }

  /** Show a turn in the inspector, replaying it when it is not known. */
  inspect(turnId) {
    this.#replay?.stop();
    this.#replay = null;
    this.dialogue.mark(turnId);
    const known = this.#live?.turn.id === turnId ? this.#live.turn : this.#known.get(turnId);
    if (known) this.inspector.select(known);
    else this.#replayTurn(turnId);
  }

  #replayTurn(turnId) {
    this.#replay = new Watch(turnId, {
      onFrame: (turn) => this.inspector.changed(turn),
      onEnd: (turn) => this.#remember(turn),
      onRefused: (problem) => this.#announceProblem(problem),
    });
    this.inspector.select(this.#replay.turn);
  }

  // htmx swaps the new, empty conversation into #dialogue and pushes its address.
  async #create(text) {
    const title = [...text.trim().replace(/\s+/g, " ")].slice(0, TITLE_LENGTH).join("");
    await window.htmx.ajax("POST", "/console/conversations", { target: "#dialogue", values: { title } }).catch(() => null);
    if (!this.dialogue.conversation) throw new Problem({ detail: "The message was not sent: its conversation could not be begun." });
  }

  async #deliver(text, key) {
    const node = this.dialogue.addMessage(text);
    const conversation = this.dialogue.conversation;
    this.composer.state = "sending";
    try {
      const { turn_id: turnId } = await sendMessage(conversation, text, key);
      if (conversation !== this.dialogue.conversation) return;
      this.dialogue.sent(node, turnId);
      this.onChanged();
      this.#follow(turnId, { live: true });
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.composer.state = "idle";
      if (problem.signedOut) this.onSignedOut();
      this.dialogue.refused(node, problem, () => this.#deliver(text, key));
    }
  }

  #follow(turnId, { live }) {
    this.#live?.stop();
    this.#state("running");
    this.#live = new Watch(turnId, {
      answer: this.dialogue.addAnswer(turnId, (text) => this.#again(text)),
      live,
      onFrame: (turn) => this.inspector.changed(turn),
      onEnd: (turn) => this.#ended(turn),
      onRefused: (problem) => this.#refused(problem),
    });
    this.inspect(turnId);
  }

  #again(text) {
    if (this.composer.state === "idle") this.#deliver(text, newKey());
  }

  #ended(turn) {
    this.#remember(turn);
    this.#live = null;
    this.#state("idle");
    announce(headline(turn));
    this.onChanged();
  }

  #refused(problem) {
    this.#live = null;
    this.#state("idle");
    this.#cutOff = problem.signedOut;
    if (problem.signedOut) this.onSignedOut();
  }

  #state(state) {
    this.composer.state = state;
    this.dialogue.title({ running: state === "running" });
  }

  #remember(turn) {
    this.#known.set(turn.id, turn);
    if (this.#known.size > REMEMBERED_TURNS) this.#known.delete(this.#known.keys().next().value);
  }

  #leave() {
    this.#cutOff = false;
    this.#live?.stop();
    this.#replay?.stop();
    this.#live = this.#replay = null;
    this.composer.state = "idle";
  }

  #announceProblem(problem) {
    if (problem.signedOut) this.onSignedOut();
    else notify(problem.detail || problem.message);
  }
}

/** Have `text` read out; it is not seen. */
function announce(text) {
  write(byId("announcer"), text);
}

/** Show `text` in the status line, where it is also read out; "" takes it away. */
export function notify(text) {
  write(byId("status"), text);
}
