type Props = { label: string; used: number; of: number; text: string; kind?: keyof typeof LIMITS };

const LIMITS = {
  /** The colour turns when little is left. */
  room: { low: 0.8, high: 0.95, optimum: 0 },
  /** The more the better. */
  good: { low: 0.25, high: 0.5, optimum: 1 },
  /** A part of a whole, neither good nor bad. */
  share: { low: 0, high: 1, optimum: 0.5 },
};

/** How much of something is used, `label` says of what; `text` says the same in words. */
export function Bar({ label, used, of, text, kind = "room" }: Props) {
  const part = of > 0 ? Math.min(1, used / of) : used > 0 ? 1 : 0;
  return (
    <meter className="bar" aria-label={label} {...LIMITS[kind]} value={part}>
      {text}
    </meter>
  );
}
