// The head of the panel: how the turn stands, in one glance.

import { gauge, gaugeLabel } from "./charts.js";
import { el } from "./dom.js";
import { decimal, duration, plural, words } from "./format.js";
import { degradedReasons, ordered } from "./turn.js";

const HEADLINES = {
  waiting: "Waiting", planning: "Recalling and planning", asking: "Waiting for the model", writing: "Writing",
  tools: "Running tools", learning: "Learning", finishing: "Finishing",
};
const EXITS = {
  converged: "Converged", max_iterations: "Reached the iteration limit", llm_completed: "Completed",
  budget_exhausted: "Budget exhausted", cancelled: "Cancelled",
};

const SOURCES = { logprobs: "log-probabilities", self_check: "a self-check", none: "nothing yet" };

/** What the turn is doing, or how it ended, in words. */
export function headline(turn) {
  if (turn.status === "failed") return "Failed";
  if (turn.status === "cancelled") return EXITS.cancelled;
  if (turn.phase !== "done") return HEADLINES[turn.phase] ?? "Running";
  const exit = turn.completed?.exit_reason ?? turn.answer?.exit_reason;
  return EXITS[exit] ?? words(exit || "completed");
}

/** Draws the summary into `root`. */
export class SummarySection {
  constructor(root) {
    this.root = root;
  }

  reset() {
    this.root.replaceChildren();
  }

  draw(turn) {
    const iterations = ordered(turn);
    const verify = iterations.findLast((iteration) => iteration.verify)?.verify;
    const confidence = turn.answer?.confidence ?? verify?.confidence ?? null;
    const convergence = turn.answer?.convergence_score ?? verify?.convergence_score ?? null;
    this.root.replaceChildren(
      el("div", { class: "summary-head" },
        gauge({ confidence, convergence, label: gaugeLabel(confidence, convergence) }),
        el("div", {},
          el("p", { class: `summary-title is-${turn.status}` }, headline(turn)),
          el("p", { class: "summary-line" }, this.#line(turn, iterations)))),
      ...notices(turn),
      facts(turn, verify, convergence),
    );
  }

  #line(turn, iterations) {
    const tools = iterations.reduce((total, iteration) => total + iteration.tools.size, 0);
    const parts = [plural(iterations.length, "iteration")];
    if (tools) parts.push(plural(tools, "tool call"));
    if (turn.completed) parts.push(duration(turn.completed.latency_ms));
    return parts.join(" · ");
  }
}

function notices(turn) {
  const reasons = degradedReasons(turn);
  const found = [];
  if (turn.attempt > 1) {
    found.push(notice("calm", `Resumed after an interruption (attempt ${turn.attempt})`, []));
  }
  if (reasons.length) found.push(notice("amber", "Degraded: answered on what was available", reasons));
  if (turn.failure) found.push(notice("red", words(turn.failure.code), [turn.failure.detail]));
  return found;
}

function notice(tone, title, lines) {
  return el("div", { class: `notice is-${tone}` },
    el("p", { class: "notice-title" }, title),
    lines.length ? el("ul", {}, lines.map((line) => el("li", {}, words(line)))) : null);
}

function facts(turn, verify, convergence) {
  const rows = [
    ["Model", turn.model],
    ["Convergence", convergence === null ? "" : decimal(convergence)],
    ["Confidence from", verify ? (SOURCES[verify.confidence_source] ?? words(verify.confidence_source)) : ""],
    ["First token", turn.completed ? duration(turn.completed.first_token_ms) : ""],
    ["Seed", turn.seed === null || turn.seed === undefined ? "" : String(turn.seed)],
    ["Trace", turn.traceId],
  ];
  return el("dl", { class: "facts" },
    rows.filter(([, value]) => value).map(([name, value]) =>
      el("div", {}, el("dt", {}, name), el("dd", { title: value }, value))));
}
