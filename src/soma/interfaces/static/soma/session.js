// Signing in and staying so. The token is exchanged for a cookie that scripts cannot read, then forgotten.

import { Problem, login, refreshSession } from "./api.js";
import { byId, write } from "./dom.js";

const REFRESH_MS = 5 * 60 * 1000;
const FRAGMENT = /^#token=(.+)$/;

/** Take `#token=…` off the address bar and sign in with it. True when a sign-in happened. */
export async function signInFromFragment() {
  const token = FRAGMENT.exec(location.hash)?.[1];
  if (!token) return false;
  history.replaceState(null, "", location.pathname + location.search);
  await login(decodeURIComponent(token));
  return true;
}

/** Make `form` sign in; `onDone` follows a success. */
export function signInForm(form, onDone) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = form.elements.token;
    show(form, "");
    try {
      await login(field.value.trim());
      field.value = "";
      onDone();
    } catch (problem) {
      show(form, problem instanceof Problem ? problem.detail || problem.title : String(problem));
      field.select();
    }
  });
}

/** Say in `form` why a sign-in failed. */
export function show(form, text) {
  write(form.querySelector("[role=alert]"), text);
}

/** Refresh the session while the page is open; ask for the token again when the session has ended. */
export class Session {
  #last = Date.now();

  /** `onRestored()` follows a sign-in after the session had ended. */
  constructor({ onRestored }) {
    this.dialog = byId("sign-in-dialog");
    signInForm(this.dialog.querySelector("form"), () => {
      this.dialog.close();
      this.#last = Date.now();
      onRestored();
    });
    setInterval(() => this.#refresh(), REFRESH_MS);
    for (const [target, name] of [[document, "visibilitychange"], [window, "online"]]) {
      target.addEventListener(name, () => this.#whenStale());
    }
  }

  /** The session is gone: ask for the token, keeping the page and what is being written. */
  ended() {
    if (!this.dialog.open) this.dialog.showModal();
  }

  #whenStale() {
    if (!document.hidden && Date.now() - this.#last >= REFRESH_MS) this.#refresh();
  }

  async #refresh() {
    try {
      await refreshSession();
      this.#last = Date.now();
    } catch (problem) {
      if (problem.signedOut) this.ended();
    }
  }
}
