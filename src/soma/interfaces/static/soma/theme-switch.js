// The theme: as the system says, or as chosen here. theme.js applies the choice before the first paint.

const NEXT = { "": "light", light: "dark", dark: "" };
const NAMES = { "": "as the system", light: "light", dark: "dark" };

/** Make `button` step through system, light and dark. */
export function themeSwitch(button) {
  const root = document.documentElement;
  const reflect = () => {
    const chosen = root.dataset.theme ?? "";
    button.dataset.theme = chosen;
    button.setAttribute("aria-label", `Theme: ${NAMES[chosen]}. Change`);
    button.title = `Theme: ${NAMES[chosen]}`;
  };
  button.addEventListener("click", () => {
    const chosen = NEXT[root.dataset.theme ?? ""];
    localStorage.setItem("soma.theme", chosen);
    if (chosen) root.dataset.theme = chosen;
    else delete root.dataset.theme;
    reflect();
  });
  reflect();
}
