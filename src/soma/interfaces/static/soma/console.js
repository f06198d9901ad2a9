// The console page: wires the parts to the document.

import { Chat, notify } from "./chat.js";
import { byId } from "./dom.js";
import { localizeTimes } from "./format.js";
import { Panels } from "./panels.js";
import { Session, signInFromFragment } from "./session.js";
import { shortcuts } from "./shortcuts.js";
import { themeSwitch } from "./theme-switch.js";

const session = new Session({ onRestored: () => chat.restored() });
const panels = new Panels();
const chat = new Chat({
  onSignedOut: () => session.ended(),
  onChanged: () => document.body.dispatchEvent(new Event("conversations-changed")),
  onInspect: () => panels.show("inspector"),
});

function markOpenConversation() {
  const open = chat.dialogue.conversation;
  for (const link of byId("conversation-list").querySelectorAll("a")) {
    if (link.dataset.conversation === open && open) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// Only the newest wish for what the middle shows counts: a slower answer to an older one must not replace it.
let loading = null;

document.body.addEventListener("htmx:beforeRequest", ({ detail: { target, xhr } }) => {
  if (target.id !== "dialogue") return;
  loading?.abort();
  loading = xhr;
});

function startNew() {
  loading?.abort();
  panels.hideDrawers();
  chat.startNew();
  markOpenConversation();
}

document.body.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target.id === "dialogue") {
    panels.hideDrawers();
    notify("");
    chat.opened();
  } else localizeTimes(target);
  markOpenConversation();
});
document.body.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  if (xhr.status === 401) session.ended();
  else notify(xhr.status === 404 ? "That conversation is not there any more." : "The service could not answer. Try again.");
});
document.body.addEventListener("htmx:sendError", () => notify("The service did not answer. Is it running?"));
window.addEventListener("popstate", () => {
  const wanted = new URLSearchParams(location.search).get("c") ?? "";
  if (wanted !== chat.dialogue.conversation || location.hash.startsWith("#token=")) location.reload();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-new-conversation]")) {
    event.preventDefault();
    startNew();
  }
  const prompt = event.target.closest("[data-prompt]");
  if (prompt) chat.composer.fill(prompt.dataset.prompt);
});

shortcuts({
  startNew,
  focusComposer: () => chat.composer.focus(),
  cancel: () => {
    if (!panels.hideDrawers() && chat.composer.state === "running") chat.cancel();
  },
});
themeSwitch(byId("theme"));
localizeTimes(byId("conversation-list"));
chat.opened();
markOpenConversation();
if (matchMedia("(hover: hover)").matches) chat.composer.focus();
signInFromFragment().then((done) => done && location.reload(), (problem) => notify(problem.detail));
