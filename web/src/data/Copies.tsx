import { useQuery } from "@tanstack/react-query";
import { answer, api } from "../api/client";
import { t } from "../i18n";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { CopyMark, copyState } from "./CopyMark";
import { copies } from "./queries";

/** Where a file is, and what is to be said of that. */
export function Copies({ did }: { did: string }) {
  const { data, error, refetch } = useQuery(copies(did));
  const why = useQuery({
    queryKey: ["did", did, "explanation", data],
    queryFn: () => answer(api.GET("/v1/explain/file/{did}", { params: { path: { did } } })),
    enabled: data !== undefined,
  });
  // The first blocker is often what was said already.
  const blockers = why.data?.blockers.filter((one) => one.says !== why.data.says) ?? [];
  return (
    <>
      {error !== null && <Trouble error={error} onRetry={refetch} />}
      {why.data !== undefined && (
        <div className="card why">
          <p>
            <Text longest={1000}>{why.data.says}</Text>
          </p>
          {blockers.length > 0 && (
            <ul>
              {blockers.map((one) => (
                <li key={`${one.cause} ${one.says}`}>
                  <Text longest={1000}>{one.says}</Text>{" "}
                  {one.hint !== null && (
                    <span className="quiet">
                      <Text longest={600}>{one.hint}</Text>
                    </span>
                  )}
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
      {data !== undefined && data.length > 0 && (
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">{t("did.rse")}</th>
                <th scope="col">{t("jobs.col.state")}</th>
              </tr>
            </thead>
            <tbody>
              {data.map((one) => (
                <tr key={one.rse}>
                  <td>
                    <Text longest={60}>{one.rse}</Text>
                  </td>
                  <td className="copy">
                    <CopyMark state={one.state} /> <span aria-hidden="true">{copyState(one.state)}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data?.length === 0 && <p className="quiet">{t("copy.nowhere")}</p>}
    </>
  );
}
