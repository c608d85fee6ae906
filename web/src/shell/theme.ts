const KEPT = "sancho.theme";
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** The colours that were chosen. */
export function theme(): Theme {
  const kept = localStorage.getItem(KEPT);
  return THEMES.find((one) => one === kept) ?? "system";
}

/** Use these colours, now and the next time. */
export function setTheme(chosen: Theme): void {
  localStorage.setItem(KEPT, chosen);
  apply();
}

/** Have the document show the colours that were chosen. */
export function apply(): void {
  document.documentElement.dataset.theme = theme();
}
