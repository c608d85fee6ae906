import { type ReactNode, useId } from "react";

/** A part of a page, with a title and perhaps what leads further. */
export function Panel({ title, more, children }: { title: string; more?: ReactNode; children: ReactNode }) {
  const heading = useId();
  return (
    <section className="panel card" aria-labelledby={heading}>
      <div className="spread">
        <h2 id={heading}>{title}</h2>
        {more}
      </div>
      {children}
    </section>
  );
}
