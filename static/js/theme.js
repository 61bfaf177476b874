// The theme button. The choice is kept in a cookie, so that the server draws the next page in it at once.
const root = document.documentElement;
const button = document.querySelector("[data-theme-button]");

function current() {
  const chosen = root.dataset.theme;
  if (chosen === "dark" || chosen === "light") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function show(theme) {
  root.dataset.theme = theme;
  button.setAttribute("aria-pressed", String(theme === "dark"));
}

if (button) {
  button.hidden = false;
  show(current());
  button.addEventListener("click", () => {
    const theme = current() === "dark" ? "light" : "dark";
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${theme}; path=/; max-age=31536000; SameSite=Lax${secure}`;
    show(theme);
    document.dispatchEvent(new CustomEvent("theme"));
  });
}
