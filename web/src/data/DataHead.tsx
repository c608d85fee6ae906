import { Link } from "@tanstack/react-router";
import { t } from "../i18n";

/** The head of the pages about data: ways to look at it, and to add to it. */
export function DataHead({ current }: { current: "browse" | "search" }) {
  return (
    <>
      <div className="spread">
        <h1>{t("data.title")}</h1>
        <Link to="/data/upload" className="button primary">
          {t("data.upload")}
        </Link>
      </div>
      <nav className="tabs" aria-label={t("data.ways")}>
        <Link
          to="/data"
          aria-current={current === "browse" ? "page" : undefined}
          className={current === "browse" ? "tab current" : "tab"}
        >
          {t("data.browse")}
        </Link>
        <Link
          to="/data/search"
          aria-current={current === "search" ? "page" : undefined}
          className={current === "search" ? "tab current" : "tab"}
        >
          {t("data.search")}
        </Link>
      </nav>
    </>
  );
}
