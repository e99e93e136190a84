/**
 * Light or dark: the system's choice, until the visitor presses the button with the id "theme". Loaded in <head> and
 * before anything is drawn, so that no page flashes in the other colours; for that it is a plain script and not a
 * module. Both pages use it.
 */

"use strict";
{
  const KEPT = "thrum-theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  const inForce = () => root.dataset.theme ?? (system.matches ? "dark" : "light");

  const say = () => {
    const button = document.getElementById("theme");
    const other = inForce() === "dark" ? "light" : "dark";
    button?.setAttribute("aria-label", `Use ${other} colours`);
    button?.setAttribute("title", `Use ${other} colours`);
    // For what draws with colours of its own.
    dispatchEvent(new CustomEvent("themechange", { detail: inForce() }));
  };

  try {
    const kept = localStorage.getItem(KEPT);
    if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  } catch {
    // A browser may keep nothing for this page: then the system's choice holds.
  }

  system.addEventListener("change", say);
  document.addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme")?.addEventListener("click", () => {
      const next = inForce() === "dark" ? "light" : "dark";
      const isSystems = next === (system.matches ? "dark" : "light");
      if (isSystems) delete root.dataset.theme;
      else root.dataset.theme = next;
      try {
        if (isSystems) localStorage.removeItem(KEPT);
        else localStorage.setItem(KEPT, next);
      } catch {
        // As above: it holds until the page is loaded again.
      }
      say();
    });
    say();
  });
}
