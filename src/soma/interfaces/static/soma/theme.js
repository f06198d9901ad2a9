// Runs before the first paint (a classic script in the head), so that a chosen theme never flashes the other.
(() => {
  const chosen = localStorage.getItem("soma.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
