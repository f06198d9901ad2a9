// The box one writes in. The limit is counted in bytes, as the service counts it.

import { byId, write } from "./dom.js";
import { byteLength, count } from "./format.js";

const WARN_SHARE = 0.75;
const TALLEST_PX = 260;

/** Calls `onSend(text)` and `onStop()`. */
export class Composer {
  #state = "idle"; // idle, sending, running

  constructor({ onSend, onStop }) {
    Object.assign(this, { onSend, onStop });
    this.form = byId("composer");
    this.text = byId("composer-text");
    this.limit = Number(this.form.dataset.limit);
    this.button = byId("composer-send");
    this.note = byId("composer-note");
    this.text.addEventListener("input", () => this.#measure());
    this.text.addEventListener("keydown", (event) => this.#key(event));
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.#measure();
  }

  /** "idle", "sending" or "running" (the button then stops the turn). */
  set state(state) {
    this.#state = state;
    this.form.dataset.state = state;
    this.button.setAttribute("aria-label", state === "running" ? "Stop the turn (Escape)" : "Send (Enter)");
    this.#measure();
  }

  get state() {
    return this.#state;
  }

  /** Put `text` into the box, for the person to send or change. */
  fill(text) {
    this.text.value = text;
    this.#measure();
    this.focus();
  }

  focus() {
    this.text.focus();
    this.text.setSelectionRange(this.text.value.length, this.text.value.length);
  }

  clear() {
    this.fill("");
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (this.#state === "idle") this.form.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    if (this.#state === "running") this.onStop();
    else if (this.#state === "idle" && this.#sendable) this.onSend(this.text.value.trim());
  }

  get #sendable() {
    return this.text.value.trim() !== "" && this.#bytes <= this.limit;
  }

  get #bytes() {
    return byteLength(this.text.value.trim());
  }

  #measure() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, TALLEST_PX)}px`;
    const over = this.#bytes - this.limit;
    this.note.classList.toggle("is-over", over > 0);
    write(this.note, this.#advice(over));
    this.text.setAttribute("aria-invalid", String(over > 0));
    this.button.disabled = this.#state === "sending" || (this.#state === "idle" && !this.#sendable);
  }

  #advice(over) {
    if (over > 0) return `${count(over)} bytes over the limit of ${count(this.limit)}: shorten the message to send it`;
    return this.#bytes > WARN_SHARE * this.limit ? `${count(this.#bytes)} of ${count(this.limit)} bytes` : "";
  }
}
