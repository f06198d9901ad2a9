// What the reader thinks of an answer: a thumb under it.

import { giveFeedback } from "./api.js";

/** Send the `thumb` that was pressed and show which one stands. Throws the Problem when it is refused, and then
 * the one that stood before stands. */
export async function judge(thumb) {
  const turn = thumb.closest("[data-turn]")?.dataset.turn;
  if (!turn || thumb.getAttribute("aria-pressed") === "true") return;
  const thumbs = [...thumb.parentElement.querySelectorAll("[data-thumb]")];
  const before = thumbs.find((each) => each.getAttribute("aria-pressed") === "true");
  press(thumbs, thumb);
  try {
    await giveFeedback(turn, { thumb: thumb.dataset.thumb });
  } catch (problem) {
    press(thumbs, before);
    throw problem;
  }
  thumb.dispatchEvent(new CustomEvent("feedback-taken", { bubbles: true, detail: { turn } }));
}

function press(thumbs, pressed) {
  for (const each of thumbs) each.setAttribute("aria-pressed", String(each === pressed));
}
