import type { ReactNode } from "react";

/** What may be wider than the page: it scrolls by itself, by the keyboard as well. */
export function Scroll({ children }: { children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard
    <div className="scroll" tabIndex={0}>
      {children}
    </div>
  );
}
