// The keyboard: Ctrl/Cmd+K, / and Escape. Enter belongs to the composer.

const writes = (node) => node.closest("input, textarea, select, [contenteditable]") !== null;

/** Bind the shortcuts to what they do. An open dialog keeps its own keys. */
export function shortcuts({ startNew, focusComposer, cancel }) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") act(event, startNew);
    else if (event.key === "/" && !command && !writes(event.target)) act(event, focusComposer);
    else if (event.key === "Escape") act(event, cancel);
  });
}

function act(event, action) {
  event.preventDefault();
  action();
}
