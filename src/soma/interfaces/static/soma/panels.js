// The two side panels: columns where there is room, drawers where there is not.

import { byId } from "./dom.js";

const WIDTHS = { rail: "(min-width: 800px)", inspector: "(min-width: 1160px)" };
const key = (name) => `soma.${name}.hidden`;

/** Shows and hides the conversation rail and the inspector. */
export class Panels {
  #panels;
  #opener = null;

  constructor() {
    this.#panels = Object.entries(WIDTHS).map(([name, query]) => ({ name, node: byId(name), wide: matchMedia(query) }));
    for (const panel of this.#panels) {
      panel.wide.addEventListener("change", () => this.#settle(panel));
      this.#settle(panel);
    }
    document.addEventListener("click", (event) => this.#clicked(event));
  }

  /** Make the panel visible, as a drawer if need be. */
  show(name) {
    const panel = this.#named(name);
    if (panel.node.hidden) this.#set(panel, true);
  }

  /** Close whatever drawer is open. True when one was. */
  hideDrawers() {
    const open = this.#panels.filter(({ node, wide }) => !wide.matches && !node.hidden);
    for (const panel of open) this.#set(panel, false);
    return open.length > 0;
  }

  #clicked(event) {
    const toggle = event.target.closest("[data-toggle-panel]");
    if (toggle) {
      const panel = this.#named(toggle.dataset.togglePanel);
      this.#opener = toggle;
      this.#set(panel, panel.node.hidden);
    } else if (event.target.closest("#scrim")) this.hideDrawers();
  }

  #named(name) {
    return this.#panels.find((panel) => panel.name === name);
  }

  #set(panel, visible) {
    panel.node.hidden = !visible;
    if (panel.wide.matches) localStorage.setItem(key(panel.name), visible ? "" : "1");
    else if (visible) panel.node.querySelector("button, a")?.focus();
    else this.#opener?.focus();
    this.#reflect();
  }

  #settle(panel) {
    panel.node.hidden = panel.wide.matches ? localStorage.getItem(key(panel.name)) === "1" : true;
    this.#reflect();
  }

  // The page behind a drawer is out of reach until the drawer closes.
  #reflect() {
    const drawer = this.#panels.find(({ node, wide }) => !wide.matches && !node.hidden);
    byId("scrim").hidden = !drawer;
    byId("stage").inert = Boolean(drawer);
    for (const { name, node } of this.#panels) {
      node.inert = Boolean(drawer) && node !== drawer.node;
      document.documentElement.dataset[name] = node.hidden ? "hidden" : "shown";
      for (const toggle of document.querySelectorAll(`[data-toggle-panel=${name}]`)) {
        toggle.setAttribute("aria-expanded", String(!node.hidden));
      }
    }
  }
}
