// What an iteration had to go on: the evidence recalled, and how the lanes shared the context window.

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
    this.lanes.replaceChildren(...(chosen ? laneChart(chosen.plan) : []));
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

function laneChart({ lanes = {}, lane_budget: budget, cut = {} }) {
  const names = [...LANES.filter((name) => name in lanes), ...Object.keys(lanes).filter((name) => !LANES.includes(name))];
  const used = names.reduce((sum, name) => sum + lanes[name], 0);
  const whole = Math.max(budget || 0, used, 1);
  return [
    el("p", { class: "lane-total" }, el("b", {}, count(whole)), " tokens, shared out by the learned weights"),
    el("div", { class: "lane-bar", role: "img", "aria-label": `${plural(used, "token")} in ${names.length} lanes` },
      names.filter((name) => lanes[name] > 0).map((name) => el("span", { class: `lane is-${name}`, vars: { "--share": (lanes[name] / whole).toFixed(4) } }))),
    el("ul", { class: "lane-legend" }, names.map((name) => el("li", { class: `is-${name}` },
      el("span", {}, name), el("b", {}, count(lanes[name])), cut[name] ? el("em", {}, `−${count(cut[name])} cut`) : null))),
  ];
}
