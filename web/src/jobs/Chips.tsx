import { useQuery } from "@tanstack/react-query";
import { number, t } from "../i18n";
import { shown } from "../kit/text";
import { counts } from "./queries";
import { type Facet, type JobSearch, NONE, STATES, toggled } from "./search";

const MOST = 8;

type Props = { search: JobSearch; onChange: (search: JobSearch) => void };

/** How many jobs there are by state, site and type; each chip narrows the list to what it stands for. */
export function Chips(props: Props) {
  return (
    <div className="chips">
      <States {...props} />
      <Values {...props} facet="site" none={t("jobs.noSite")} />
      <Values {...props} facet="type" none={t("jobs.noType")} />
    </div>
  );
}

function States({ search, onChange }: Props) {
  const { data } = useQuery(counts(search, "state"));
  const by = new Map(data?.map((one) => [one.value, one.count]));
  return (
    <fieldset className="chip-row">
      <legend>{t("jobs.state")}</legend>
      {STATES.map((state) => (
        <button
          key={state}
          type="button"
          className={by.get(state) ? `chip ${state}` : "chip none"}
          aria-pressed={search.state?.includes(state) ?? false}
          onClick={() => onChange(toggled(search, state))}
        >
          {t(`state.${state}`)} <b>{number(by.get(state) ?? 0)}</b>
        </button>
      ))}
    </fieldset>
  );
}

type ValuesProps = Props & { facet: Exclude<Facet, "state">; none: string };

function Values({ search, onChange, facet, none }: ValuesProps) {
  const { data = [] } = useQuery(counts(search, facet));
  const chosen = search[facet];
  const most = [...data].sort((a, b) => b.count - a.count).slice(0, MOST);
  const worth = most.length > 1 || chosen !== undefined || most.some((one) => one.value !== null);
  if (!worth) return null;
  const choose = (value: string) => {
    const { [facet]: _, ...rest } = search;
    onChange(chosen === value ? rest : { ...rest, [facet]: value });
  };
  return (
    <fieldset className="chip-row">
      <legend>{t(`jobs.${facet}`)}</legend>
      {most.map(({ value, count }) => (
        <button
          key={value ?? NONE}
          type="button"
          className="chip"
          aria-pressed={chosen === (value ?? NONE)}
          onClick={() => choose(value ?? NONE)}
        >
          {value === null ? none : <bdi>{shown(value, 40)}</bdi>} <b>{number(count)}</b>
        </button>
      ))}
    </fieldset>
  );
}
