/** One of a few, as buttons side by side. */
export function Choice<T extends string | number>({
  label,
  all,
  chosen,
  text,
  onChoose,
}: {
  label: string;
  all: readonly T[];
  chosen: T;
  text: (one: T) => string;
  onChoose: (one: T) => void;
}) {
  return (
    <fieldset className="switch">
      <legend className="sr-only">{label}</legend>
      {all.map((one) => (
        <button key={one} type="button" aria-pressed={one === chosen} onClick={() => onChoose(one)}>
          {text(one)}
        </button>
      ))}
    </fieldset>
  );
}
