// How numbers, durations and times read in the console.

const BLANK = "–";
const present = (value) => typeof value === "number" && Number.isFinite(value);

/** `0.812`, or a dash when there is no number. */
export const decimal = (value, digits = 3) => (present(value) ? value.toFixed(digits) : BLANK);

/** `81`, the percentage of a share in [0, 1]. */
export const percent = (value) => (present(value) ? String(Math.round(value * 100)) : BLANK);

/** `12,408`. */
export const count = (value) => (present(value) ? value.toLocaleString("en") : BLANK);

/** `<1 ms`, `48 ms`, `1.84 s`, `2 min 04 s`. */
export function duration(ms) {
  if (!present(ms)) return BLANK;
  if (ms < 1) return "<1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

/** `+0.004` or `−0.004`; empty when nothing moved at this precision. */
export function change(value, digits = 3) {
  if (!present(value)) return "";
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return "";
  return (value > 0 ? "+" : "−") + text;
}

/** `3 iterations`. */
export const plural = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** `max iterations` for `max_iterations`. */
export const words = (code) => String(code ?? "").replaceAll("_", " ");

/** The UTF-8 length of `text`. */
export const byteLength = (text) => new TextEncoder().encode(text).length;

const ONE_LINE = 60;

/** The string itself, or JSON: on one line where that is short. */
export function compact(value) {
  if (typeof value === "string") return value;
  const spread = JSON.stringify(value, null, 1);
  const line = spread.replace(/\n\s*/g, " ");
  return line.length <= ONE_LINE ? line : spread;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** The time for today's moments, the day for older ones. */
export function moment(date, today = new Date()) {
  return date.toDateString() === today.toDateString() ? clock.format(date) : day.format(date);
}

/** Put every `<time>` under `root` into the reader's own zone. */
export function localizeTimes(root) {
  for (const node of root.querySelectorAll("time[datetime]")) {
    const date = new Date(node.dateTime);
    if (Number.isNaN(date.valueOf())) continue;
    node.textContent = node.dataset.style === "clock" ? clock.format(date) : moment(date);
    node.title = full.format(date);
  }
}
