/** How much of something is used; the colour turns when little is left. `label` says whose bar it is. */
export function Bar({ label, used, of, text }: { label: string; used: number; of: number; text: string }) {
  const part = of > 0 ? Math.min(1, used / of) : used > 0 ? 1 : 0;
  return (
    <meter className="bar" aria-label={label} low={0.8} high={0.95} optimum={0} value={part}>
      {text}
    </meter>
  );
}
