import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { answer, api } from "../api/client";
import { t } from "../i18n";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { say } from "../kit/toast";
import { useKept } from "../kit/useKept";
import { useLater } from "../kit/useLater";
import { Foreseen } from "./Foreseen";
import { WishFields } from "./WishFields";
import { bodyOf, NO_WISH } from "./wish";

const route = getRouteApi("/data/rule");

/** Ask for copies of a DID, with what would come of it beside the form before anything is asked for. */
export function RulePage() {
  const { did = "" } = route.useSearch();
  return (
    <div className="page">
      <p className="crumb">
        <Link to="/data/did" search={{ did, tab: "rules" }}>
          <Text longest={200}>{did}</Text>
        </Link>
      </p>
      <h1>{t("wish.title")}</h1>
      <Form key={did} did={did} />
    </div>
  );
}

function Form({ did }: { did: string }) {
  const [wish, setWish, forget] = useKept(`sancho.rule.${did}`, NO_WISH);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const body = bodyOf(did, wish);
  const later = useLater(
    body === undefined ? "" : JSON.stringify({ ...body, lifetime: null, comment: null }),
  );
  const make = async () => {
    if (body === undefined || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      const made = await answer(api.POST("/v1/rules", { body }));
      say(t(made.state === "waiting" ? "wish.asked" : "wish.made", { id: made.rule_id }));
      forget();
      await cache.invalidateQueries({ queryKey: ["did", did] });
      await navigate({ to: "/data/did", search: { did, tab: "rules" } });
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void make();
  };
  return (
    <form className="columns" onSubmit={onSubmit}>
      <div className="stack">
        <div className="card stack">
          <WishFields wish={wish} onChange={setWish} />
          <label className="check">
            <input
              type="checkbox"
              checked={wish.ask}
              onChange={(event) => setWish({ ...wish, ask: event.target.checked })}
            />
            {t("wish.ask")}
          </label>
        </div>
        {error !== undefined && <Trouble error={error} />}
        <div className="buttons">
          <button type="submit" className="button primary" disabled={busy || body === undefined}>
            {t(wish.ask ? "wish.goAsk" : "wish.go")}
          </button>
          <Link to="/data/did" search={{ did, tab: "rules" }} className="button">
            {t("common.cancel")}
          </Link>
        </div>
      </div>
      <Foreseen asked={later} />
    </form>
  );
}
