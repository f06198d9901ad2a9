// The dialogue in the middle: what the server rendered, brought to life, and what is added to it.

import { AnswerView, confidenceDot, problemCard } from "./answer.js";
import { byId, stamp, write } from "./dom.js";
import { judge } from "./feedback.js";
import { localizeTimes } from "./format.js";
import { MarkdownView } from "./markdown.js";
import { StickyScroll } from "./scroll.js";

/** Owns `#dialogue`. `onInspect(turnId)` is called when the reader asks for a turn, `onRefused(problem)` when
 * what they think of an answer cannot be taken. */
export class Dialogue {
  constructor({ onInspect, onRefused }) {
    this.root = byId("dialogue");
    this.scroll = new StickyScroll(byId("dialogue-viewport"), this.root, byId("jump"));
    this.root.addEventListener("click", (event) => {
      const turn = event.target.closest("[data-inspect]")?.closest("[data-turn]")?.dataset.turn;
      if (turn) onInspect(turn);
      const thumb = event.target.closest("[data-thumb]");
      if (thumb) judge(thumb).catch(onRefused);
    });
  }

  /** The open conversation's id, or "" on the welcome page. */
  get conversation() {
    return this.root.querySelector(".conversation")?.dataset.conversation ?? "";
  }

  /** Finish what the server sent: Markdown, local times, confidence colours. */
  hydrate() {
    for (const node of this.root.querySelectorAll("[data-markdown]")) render(node);
    this.#markUnanswered();
    for (const node of this.root.querySelectorAll("[data-confidence]")) {
      node.replaceWith(confidenceDot(Number(node.dataset.confidence)));
    }
    localizeTimes(this.root);
    this.title({ running: false });
    this.scroll.toEnd();
  }

  /** Name the conversation in the bar and in the browser's tab, which also shows whether a turn is running. */
  title({ running }) {
    const { title, agent } = this.root.querySelector(".conversation")?.dataset ?? {};
    write(byId("conversation-agent"), agent ?? "");
    write(byId("conversation-title"), title ?? "New conversation");
    document.title = `${running ? "● " : ""}${title ?? "SomaStack"}`;
  }

  /** Show the welcome page. */
  welcome() {
    this.root.replaceChildren(stamp("welcome-template"));
    this.hydrate();
  }

  /** The id of the last message's turn when it has no answer here yet, or "". */
  get pendingTurn() {
    const last = [...this.root.querySelectorAll(".message")].at(-1);
    return last?.matches(".is-user") ? (last.dataset.turn ?? "") : "";
  }

  /** The turn of the newest answer, or "". */
  get newestTurn() {
    return [...this.root.querySelectorAll(".message.is-answer")].at(-1)?.dataset.turn ?? "";
  }

  /** Add what the person said; it is marked as being sent until `sent` is called. */
  addMessage(text) {
    const node = stamp("message-template");
    write(node.querySelector(".said"), text);
    node.classList.add("is-sending");
    this.#add(node);
    return node;
  }

  /** The message reached the service as this turn. */
  sent(node, turnId) {
    node.dataset.turn = turnId;
    node.classList.remove("is-sending");
    const time = node.querySelector("time");
    time.dateTime = new Date().toISOString();
    localizeTimes(node);
  }

  /** The message was refused; `retry` tries it again. */
  refused(node, problem, retry) {
    node.classList.remove("is-sending");
    node.classList.add("is-refused");
    const again = retry && (() => {
      node.remove();
      retry();
    });
    node.append(problemCard(problem, again));
  }

  /** Add an answer that will grow; `onRetry(text)` is told the message to send again if it fails. */
  addAnswer(turnId, onRetry) {
    const said = [...this.root.querySelectorAll(".said")].at(-1);
    const view = new AnswerView(turnId, said ? () => onRetry(said.textContent) : null);
    this.#add(view.node);
    return view;
  }

  /** Mark the turn the inspector shows. */
  mark(turnId) {
    for (const node of this.root.querySelectorAll(".message.is-answer")) {
      node.classList.toggle("is-inspected", node.dataset.turn === turnId);
    }
  }

  // A turn that failed or was cancelled left no message, but it can still be looked into. The last message
  // is not among them: its turn is followed.
  #markUnanswered() {
    const messages = [...this.root.querySelectorAll(".message")];
    messages.slice(0, -1).forEach((node, index) => {
      if (!node.matches(".is-user") || !node.dataset.turn || messages[index + 1].matches(".is-answer")) return;
      const gap = stamp("answer-template");
      gap.dataset.turn = node.dataset.turn;
      gap.querySelector(".prose").hidden = true;
      gap.querySelector(".meta").append("No answer: show the turn");
      node.after(gap);
    });
  }

  #add(node) {
    this.root.querySelector(".messages").append(node);
    this.scroll.toEnd();
  }
}

function render(node) {
  const text = node.textContent;
  node.removeAttribute("data-markdown");
  node.replaceChildren();
  new MarkdownView(node).show(text);
}
