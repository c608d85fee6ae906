import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { answer, api, type Schemas } from "../api/client";
import { number, t } from "../i18n";
import { Fact } from "../kit/Fact";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { bytes } from "../kit/text";
import { duration } from "../kit/time";
import type { RuleBody } from "./wish";

type Preview = Schemas["PreviewOut"];

/** What would come of a rule: where, how many bytes, what quotas, how long. `asked` is its body as text, or nothing. */
export function Foreseen({ asked }: { asked: string }) {
  const { data, error } = useQuery({
    queryKey: ["rule", "preview", asked],
    queryFn: ({ signal }) =>
      answer(api.POST("/v1/rules/preview", { body: JSON.parse(asked) as RuleBody, signal })),
    enabled: asked !== "",
    placeholderData: keepPreviousData,
  });
  return (
    <section className="card stack foreseen" aria-labelledby="foreseen" aria-live="polite">
      <h2 id="foreseen">{t("foreseen.title")}</h2>
      {asked === "" ? (
        <p className="quiet">{t("foreseen.nothing")}</p>
      ) : error !== null ? (
        <Trouble error={error} />
      ) : data === undefined ? (
        <p className="quiet">{t("common.loading")}</p>
      ) : (
        <Said said={data} />
      )}
    </section>
  );
}

function Said({ said }: { said: Preview }) {
  const refused = said.verdict === "refused";
  return (
    <>
      {refused && (
        <div className="verdict">
          <p className="fault">
            <Text longest={600}>{said.reason ?? ""}</Text>
          </p>
          {said.fewer_copies !== null && <p>{t("foreseen.fewer", { copies: said.fewer_copies })}</p>}
          {said.unwritable.length > 0 && (
            <p>
              {t("foreseen.unwritable")} <Text longest={200}>{said.unwritable.join(", ")}</Text>
            </p>
          )}
        </div>
      )}
      <dl className="facts">
        <Fact name={t("foreseen.data")}>
          {bytes(said.size)} <span className="quiet">{t("did.inFiles", { count: number(said.files) })}</span>
        </Fact>
        {!refused && (
          <>
            <Fact name={t("foreseen.toCopy")}>
              {said.to_copy === 0 ? t("foreseen.allThere") : bytes(said.to_copy)}
            </Fact>
            <Fact name={t("foreseen.charged")}>{bytes(said.charged)}</Fact>
            <Fact name={t("foreseen.time")}>
              {said.to_copy === 0
                ? t("foreseen.atOnce")
                : said.seconds === null
                  ? t("foreseen.unknown")
                  : t("foreseen.about", { time: duration(said.seconds) })}
            </Fact>
          </>
        )}
      </dl>
      {said.places.length > 0 && <Places said={said} />}
      {said.quotas.length > 0 && <Quotas said={said} />}
      {said.looked_at !== null && (
        <p className="quiet">{t("foreseen.sampled", { count: number(said.looked_at) })}</p>
      )}
    </>
  );
}

function Places({ said }: { said: Preview }) {
  return (
    <table className="slim">
      <thead>
        <tr>
          <th scope="col">{t("did.rse")}</th>
          <th scope="col" className="end">
            {t("foreseen.there")}
          </th>
          <th scope="col" className="end">
            {t("foreseen.toCopy")}
          </th>
        </tr>
      </thead>
      <tbody>
        {said.places.map((one) => (
          <tr key={one.rse}>
            <td>
              <Text longest={60}>{one.rse}</Text>
            </td>
            <td className="end">{bytes(one.size)}</td>
            <td className="end">{bytes(one.to_copy)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Quotas({ said }: { said: Preview }) {
  return (
    <ul className="quotas">
      {said.quotas.map((one) => (
        <li key={one.name}>
          <div className="spread">
            <span>
              {t("foreseen.quota")} <Text longest={60}>{one.name}</Text>
            </span>
            <span className={one.lacks > 0 ? "fault" : "quiet"}>
              {one.lacks > 0
                ? t("foreseen.lacks", { size: bytes(one.lacks) })
                : t("foreseen.room", { needed: bytes(one.needed), room: bytes(one.room) })}
            </span>
          </div>
          <div className="bar" aria-hidden="true">
            <span
              className={one.lacks > 0 ? "share stuck" : "share replicating"}
              style={{ width: `${Math.min(100, Math.ceil((100 * one.needed) / Math.max(one.room, 1)))}%` }}
            />
          </div>
        </li>
      ))}
    </ul>
  );
}
