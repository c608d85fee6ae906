import type { ReactNode } from "react";

/** There is nothing here; says why, and what comes next. `alone`: it is the whole page. */
export function Empty({ title, alone, children }: { title: string; alone?: true; children: ReactNode }) {
  const Heading = alone ? "h1" : "h2";
  return (
    <div className="empty">
      <Heading>{title}</Heading>
      {children}
    </div>
  );
}
