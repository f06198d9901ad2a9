// One card an iteration: its phases with times, its tool calls, what verification and learning made of it.

import { gauge, gaugeLabel } from "./charts.js";
import { el, write } from "./dom.js";
import { change, compact, decimal, duration, words } from "./format.js";
import { ordered, phases } from "./turn.js";

const OUTPUT_SHOWN = 4000;
const PHASES = { asking: "model" };

/** Draws the cards into `root`, touching only those that changed, so that what is open stays open. */
export class IterationsSection {
  #cards = new Map();

  constructor(root) {
    this.root = root;
  }

  reset() {
    this.#cards.clear();
    this.root.replaceChildren();
  }

  draw(turn) {
    const iterations = ordered(turn);
    this.#dropMissing(turn);
    const longest = Math.max(1, ...iterations.map(total));
    iterations.forEach((iteration, index) => {
      const card = this.#card(iteration.number);
      const running = turn.phase !== "done" && turn.phase !== "finishing" && turn.current === iteration.number;
      const final = index === iterations.length - 1;
      card.show(iteration, { label: index + 1, running, phase: turn.phase, longest, final });
    });
  }

  #dropMissing(turn) {
    for (const [number, card] of this.#cards) {
      if (turn.iterations.has(number)) continue;
      card.node.remove();
      this.#cards.delete(number);
    }
  }

  #card(number) {
    if (!this.#cards.has(number)) {
      const card = new IterationCard();
      this.#cards.set(number, card);
      this.root.append(card.node);
    }
    return this.#cards.get(number);
  }
}

const total = (iteration) => phases(iteration).reduce((sum, { ms }) => sum + ms, 0);

class IterationCard {
  #shown = "";
  #touched = false;

  constructor() {
    this.head = el("summary", { on: { click: () => (this.#touched = true) } });
    this.body = el("div", { class: "card-body" });
    this.node = el("details", { class: "card" }, this.head, this.body);
  }

  show(iteration, context) {
    const { text, ...rest } = iteration;
    const key = JSON.stringify([rest, [...iteration.tools.values()], context, context.final ? "" : text]);
    if (key === this.#shown) return;
    this.#shown = key;
    this.node.classList.toggle("is-running", context.running);
    if (!this.#touched) this.node.open = context.final;
    this.head.replaceChildren(...head(iteration, context));
    this.body.replaceChildren(...body(iteration, context));
  }
}

function head(iteration, { label, running, phase, longest }) {
  const { verify } = iteration;
  const state = running ? PHASES[phase] ?? phase : words(verify && verify.decision !== "continue" ? verify.decision : "");
  return [
    gauge({ confidence: verify?.confidence ?? null, convergence: verify?.convergence_score ?? null,
      label: gaugeLabel(verify?.confidence, verify?.convergence_score) }),
    el("span", { class: "card-title" }, `Iteration ${label}`),
    el("span", { class: "card-chips" },
      state ? el("span", { class: `chip ${running ? "is-live" : ""}` }, state) : null,
      ...[...iteration.tools.values()].map((call) => el("code", { class: `card-tool is-${call.status}` }, call.tool))),
    el("span", { class: "card-time" }, total(iteration) ? duration(total(iteration)) : ""),
    phaseBar(iteration, longest),
  ].filter(Boolean);
}

function phaseBar(iteration, longest) {
  const spans = phases(iteration);
  return el("span", { class: "phase-bar", "aria-hidden": "true" },
    spans.map(({ phase, ms }) => el("span", { class: `phase is-${phase}`, vars: { "--share": (ms / longest).toFixed(4) } })));
}

function body(iteration, { final }) {
  return [
    phaseTimes(iteration),
    ...[...iteration.tools.values()].map(toolCall),
    !final && iteration.text.trim() ? el("p", { class: "draft" }, iteration.text.trim()) : null,
    iteration.verify ? verifyLine(iteration.verify) : null,
    iteration.learn?.weights_after ? learnLine(iteration.learn) : null,
  ].filter(Boolean);
}

function phaseTimes(iteration) {
  const spans = phases(iteration);
  if (!spans.length) return null;
  return el("ol", { class: "phase-times" },
    spans.map(({ phase, ms }) => el("li", { class: `is-${phase}` }, el("span", {}, phase), el("b", {}, duration(ms)))));
}

const STATUS = { ok: "done", running: "running", denied: "denied", error: "error", timeout: "timed out", breaker_open: "breaker open" };

function toolCall(call) {
  const result = call.output ?? call.stream;
  return el("section", { class: `tool is-${call.status}`, "aria-label": `Tool call ${call.tool}` },
    el("header", {},
      el("code", { class: "tool-name" }, call.tool),
      el("span", { class: "chip" }, STATUS[call.status] ?? words(call.status)),
      el("span", { class: "card-time" }, call.latency_ms === undefined ? "" : duration(call.latency_ms))),
    block("arguments", call.arguments),
    call.reasons?.length ? el("ul", { class: "reasons" }, call.reasons.map((reason) => el("li", {}, reason))) : null,
    result !== undefined && result !== null && result !== "" ? block("result", result) : null);
}

function block(name, value) {
  if (value === undefined || value === null) return null;
  const text = compact(value);
  const shown = text.length > OUTPUT_SHOWN ? `${text.slice(0, OUTPUT_SHOWN)}\n… ${text.length - OUTPUT_SHOWN} more characters` : text;
  const node = el("pre", { class: "payload", tabindex: "0", "aria-label": name, dataset: { name } });
  write(node, shown);
  return node;
}

const verifyLine = (verify) => figures("verify", [
  ["confidence", decimal(verify.confidence, 2)],
  ["success", decimal(verify.success_factor, 2)],
  ["utility", decimal(verify.tool_utility, 2)],
  ["convergence", decimal(verify.convergence_score, 2)],
]);

const learnLine = (learn) => figures("learn", [
  ["reward", decimal(learn.reward, 2)],
  ["error", change(learn.prediction_error, 2) || "0"],
  ["salience", decimal(learn.salience, 2)],
  ["rate", learn.applied ? decimal(learn.learning_rate, 3) : "gated"],
]);

function figures(name, pairs) {
  return el("dl", { class: `figures is-${name}`, "aria-label": name },
    pairs.map(([label, value]) => el("div", {}, el("dt", {}, label), el("dd", {}, value))));
}
