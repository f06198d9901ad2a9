// Follows the newest text while the reader is at the bottom, and lets go the moment they scroll away.

const NEAR_PX = 48;
const AT_END_PX = 3;

/** Keeps `viewport` at its end as `content` grows; shows `jump` when the reader has moved away. */
export class StickyScroll {
  #following = true;
  #lastTop = 0;

  constructor(viewport, content, jump) {
    Object.assign(this, { viewport, jump });
    viewport.addEventListener("scroll", () => this.#moved(), { passive: true });
    jump.addEventListener("click", () => this.toEnd());
    const observer = new ResizeObserver(() => this.#grew());
    observer.observe(content);
    observer.observe(viewport);
  }

  /** Go to the newest text and follow it again. */
  toEnd() {
    this.#following = true;
    this.#grew();
  }

  get #distance() {
    return this.viewport.scrollHeight - this.viewport.clientHeight - this.viewport.scrollTop;
  }

  // A move up lets go, however small; coming back near the end takes hold again.
  #moved() {
    const up = this.viewport.scrollTop < this.#lastTop - 1;
    this.#lastTop = this.viewport.scrollTop;
    if (up) this.#following = this.#distance < AT_END_PX;
    else if (this.#distance < NEAR_PX) this.#following = true;
    this.#showJump();
  }

  #grew() {
    if (this.#following) this.viewport.scrollTop = this.viewport.scrollHeight;
    this.#lastTop = this.viewport.scrollTop;
    this.#showJump();
  }

  #showJump() {
    this.jump.hidden = this.#following || this.#distance < NEAR_PX;
  }
}
