import { asProblem } from "../api/problem";
import { t } from "../i18n";
import { Text } from "./Text";

/** What went wrong, what to do next, and what to quote when asking for help. */
export function Trouble({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = asProblem(error);
  return (
    <div role="alert" className="trouble">
      <p className="trouble-says">
        {problem.permission === undefined ? (
          <Text>{problem.message}</Text>
        ) : (
          t("problem.permission", { permission: problem.permission })
        )}
      </p>
      {problem.hint !== undefined && (
        <p>
          <Text>{problem.hint}</Text>
        </p>
      )}
      {problem.traceId !== undefined && (
        <p className="quiet">{t("problem.trace", { id: problem.traceId })}</p>
      )}
      {onRetry !== undefined && (
        <button type="button" className="button" onClick={onRetry}>
          {t("problem.retry")}
        </button>
      )}
    </div>
  );
}
