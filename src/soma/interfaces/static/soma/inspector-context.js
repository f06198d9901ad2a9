// What an iteration had to go on: the evidence recalled, how the lanes shared the context window and what they
// left out, and what the planner weighed.

import { el, write } from "./dom.js";
import { count, decimal, moment, plural, words } from "./format.js";
import { ordered } from "./turn.js";

const LANES = ["system", "history", "memory", "tools", "buffer"];

/** Draws evidence into `evidence` and lanes into `lanes`, for the newest iteration or the one chosen. */
export class ContextSection {
  #chosen = null;
  #shown = "";
  #turn = null;

  constructor(evidence, lanes) {
    Object.assign(this, { evidence, lanes, picker: document.getElementById("context-picker") });
  }

  reset() {
    this.#chosen = null;
    this.#shown = "";
    for (const part of [this.evidence, this.lanes]) part.replaceChildren();
  }

  draw(turn) {
    this.#turn = turn;
    const planned = ordered(turn).filter((iteration) => iteration.plan);
    const chosen = planned.find(({ number }) => number === this.#chosen) ?? planned.at(-1);
    const key = JSON.stringify([planned.length, chosen?.number, chosen?.plan]);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#drawPicker(planned, chosen);
    this.evidence.replaceChildren(...(chosen ? evidenceList(chosen.plan) : [hint("Nothing recalled yet.")]));
    this.lanes.replaceChildren(...(chosen ? [...laneChart(chosen.plan), ...cutList(chosen.plan), ...suggestionList(chosen.plan)] : []));
    this.lanes.closest("section").hidden = !chosen;
  }

  #drawPicker(planned, chosen) {
    this.picker.hidden = planned.length < 2;
    this.picker.replaceChildren(...planned.map((iteration, index) =>
      el("button", { type: "button", "aria-pressed": String(iteration === chosen), "aria-label": `Iteration ${index + 1}`,
        on: { click: () => this.#choose(iteration.number) } }, String(index + 1))));
  }

  #choose(number) {
    this.#chosen = number;
    this.draw(this.#turn);
    this.picker.querySelector("[aria-pressed=true]")?.focus();
  }
}

const hint = (text) => el("p", { class: "hint" }, text);

function evidenceList({ evidence = [] }) {
  if (!evidence.length) return [hint("No memory was relevant enough to use.")];
  const best = Math.max(...evidence.map(({ score }) => score), 1e-9);
  return [el("ol", { class: "evidence" }, evidence.map((item) => evidenceItem(item, best)))];
}

function evidenceItem({ content, score, features, ...origin }, best) {
  const text = el("span", { class: "evidence-text" });
  write(text, content);
  const meter = el("span", { class: "evidence-score", vars: { "--share": Math.max(0, score / best).toFixed(3) } }, decimal(score));
  const long = content.length > 220;
  return el("li", {}, meter,
    el("div", {},
      long ? el("details", {}, el("summary", {}, text)) : text,
      el("p", { class: "evidence-source", title: told(features) }, ...sourceOf(origin))));
}

// Where a block comes from: who said it, when, and the conversation to read it in.
function sourceOf({ role, occurred_at: at, source, provenance = {} }) {
  const conversation = provenance.conversation_id ?? source;
  const date = new Date(at ?? "");
  const parts = [];
  if (role) parts.push(role);
  if (!Number.isNaN(date.valueOf())) parts.push(moment(date));
  if (conversation) parts.push(el("a", { href: `/?c=${encodeURIComponent(conversation)}` }, "conversation"));
  return parts.length ? parts.flatMap((part, index) => (index ? [" · ", part] : [part])) : ["source not recorded"];
}

const told = (features = {}) => Object.entries(features).map(([name, value]) => `${words(name)} ${decimal(value)}`).join(", ");

function laneChart({ lanes = {}, lane_budget: budget, lane_use: filled = {}, cut = {} }) {
  const names = [...LANES.filter((name) => name in lanes), ...Object.keys(lanes).filter((name) => !LANES.includes(name))];
  const used = names.reduce((sum, name) => sum + lanes[name], 0);
  const whole = Math.max(budget || 0, used, 1);
  return [
    el("p", { class: "lane-total" }, el("b", {}, count(whole)), " tokens, shared out by the learned weights"),
    el("div", { class: "lane-bar", role: "img", "aria-label": `${plural(used, "token")} in ${names.length} lanes` },
      names.filter((name) => lanes[name] > 0).map((name) => el("span", { class: `lane is-${name}`, vars: { "--share": (lanes[name] / whole).toFixed(4) } }))),
    el("ul", { class: "lane-legend" }, names.map((name) => el("li", { class: `is-${name}` },
      el("span", {}, name), el("b", { title: "Tokens used of those granted" }, name in filled ? `${count(filled[name])} / ${count(lanes[name])}` : count(lanes[name])), cut[name] ? el("em", {}, `−${count(cut[name])} cut`) : null))),
  ];
}

const REASONS = { no_room: "longer than the room left", behind_cut: "behind one that was cut" };

// What did not get into the prompt: evidence by its words, messages and results by their id.
function cutList({ cut_items: items = [], evidence = [] }) {
  if (!items.length) return [];
  const said = new Map(evidence.map(({ id, content }) => [id, content]));
  return [el("details", { class: "cut-items" },
    el("summary", {}, `${plural(items.length, "item")} cut`),
    el("ul", {}, items.map(({ lane, id, tokens, reason }) => el("li", { class: `is-${lane}`, title: id },
      el("span", {}, said.get(id) ?? id), el("em", {}, `${count(tokens)} tokens, ${REASONS[reason] ?? words(reason)}`)))))];
}

// The actions by their utility, best first; a title tells what each term adds and where it comes from.
function suggestionList({ suggestions = [] }) {
  if (!suggestions.length) return [];
  const widest = Math.max(...suggestions.map(({ utility }) => Math.abs(utility)), 1e-9);
  return [
    el("p", { class: "lane-total suggestions-title" }, "What could be done, by its utility"),
    el("ol", { class: "suggestions" }, suggestions.map(({ action, target, utility, terms }) => el("li", { title: termsOf(terms) },
      el("span", {}, target ? `${words(action)} ${target}` : words(action)),
      el("span", { class: "suggestion-bar", vars: { "--share": (Math.max(0, utility) / widest).toFixed(3) } }),
      el("b", {}, decimal(utility))))),
  ];
}

const termsOf = (terms) => ["confidence", "cost", "latency"].map((name) => [name, terms[name]])
  .map(([name, { adds, source, samples }]) => `${name} ${decimal(adds)} (${source}${samples ? `, ${samples}` : ""})`).join("\n");
