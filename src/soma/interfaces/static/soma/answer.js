// One answer in the dialogue: its text as it comes, and the line under it that says how it stands.

import { level } from "./charts.js";
import { el, stamp, write } from "./dom.js";
import { duration, percent, plural, words } from "./format.js";
import { headline } from "./inspector-summary.js";
import { MarkdownView } from "./markdown.js";
import { degradedReasons, ordered, visibleText } from "./turn.js";

const CONNECTION = { connecting: "Connecting", reconnecting: "Reconnecting" };

/** Shows a folded turn as a message. */
export class AnswerView {
  #markdown;
  #connection = "open";
  #told = "";

  /** `retry()` asks the same again; it is offered when the turn fails. */
  constructor(turnId, retry) {
    this.retry = retry;
    this.node = stamp("answer-template");
    this.node.dataset.turn = turnId;
    this.prose = this.node.querySelector(".prose");
    this.meta = this.node.querySelector(".meta");
    this.#markdown = new MarkdownView(this.prose);
    this.prose.setAttribute("aria-busy", "true");
  }

  /** Show the turn as it is now. */
  update(turn) {
    const done = turn.phase === "done";
    const text = visibleText(turn);
    this.#markdown.show(text);
    this.prose.hidden = !text;
    this.prose.setAttribute("aria-busy", String(!done));
    this.node.dataset.status = turn.status;
    this.#drawMeta(turn, done);
    if (turn.failure) this.fail({ title: "The turn failed", detail: turn.failure.detail, traceId: turn.traceId }, this.retry);
  }

  /** Say how the connection stands: "open", "connecting" or "reconnecting". */
  connection(state, turn) {
    this.#connection = state;
    this.update(turn);
  }

  /** Show why there is no answer. */
  fail({ title, detail, traceId }, retry = null) {
    const told = JSON.stringify([title, detail, traceId]);
    if (this.#told === told) return;
    this.#told = told;
    this.node.querySelector(".problem")?.remove();
    this.meta.before(problemCard({ title, detail, traceId }, retry));
    this.prose.setAttribute("aria-busy", "false");
  }

  #drawMeta(turn, done) {
    const lost = !done && CONNECTION[this.#connection];
    this.meta.classList.toggle("is-live", !done);
    this.meta.classList.toggle("is-lost", this.#connection === "reconnecting" && !done);
    const parts = done ? finished(turn) : [lost || headline(turn), ...progress(turn)];
    const nodes = parts.map((part) => (typeof part === "string" ? el("span", {}, part) : part));
    const text = nodes.map((node) => node.textContent).join("|");
    if (this.meta.dataset.text !== text) {
      this.meta.dataset.text = text;
      this.meta.replaceChildren(...nodes);
    }
  }
}

function progress(turn) {
  const number = turn.iterations.size;
  const running = [...(turn.iterations.get(turn.current)?.tools.values() ?? [])].filter((call) => call.status === "running");
  const parts = number > 1 ? [`iteration ${number}`] : [];
  if (turn.phase === "tools") parts.push(...running.map((call) => words(call.tool)));
  if (turn.elapsed >= 2000) parts.push(`${Math.floor(turn.elapsed / 1000)} s`);
  return parts;
}

function finished(turn) {
  const confidence = turn.answer?.confidence;
  const tools = turn.answer?.tools_used ?? [];
  const parts = typeof confidence === "number" ? [confidenceDot(confidence)] : [];
  if (turn.status !== "completed") parts.push(headline(turn));
  parts.push(plural(turn.answer?.iterations ?? ordered(turn).length, "iteration"), ...tools.map(words));
  if (turn.completed) parts.push(duration(turn.completed.latency_ms));
  if (degradedReasons(turn).length) parts.push(el("span", { class: "is-amber" }, "degraded"));
  return parts;
}

/** The confidence as a coloured dot with its percentage. */
export function confidenceDot(confidence) {
  return el("span", { class: `confidence is-${level(confidence)}`, title: "Confidence" }, `${percent(confidence)} %`);
}

/** A refusal: what, why, and the trace id to look it up by; `retry` adds a button. */
export function problemCard({ title, detail, traceId }, retry = null) {
  const node = stamp("problem-template");
  write(node.querySelector(".problem-title"), title);
  write(node.querySelector(".problem-detail"), detail ?? "");
  const trace = node.querySelector(".problem-trace");
  trace.hidden = !traceId;
  write(trace.querySelector("code"), traceId ?? "");
  const button = node.querySelector("button");
  button.hidden = !retry;
  if (retry) button.addEventListener("click", retry);
  return node;
}
