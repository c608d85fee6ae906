import { getRouteApi, Link } from "@tanstack/react-router";
import { t } from "../i18n";
import { AccountingTab } from "./AccountingTab";
import { PilotsTab } from "./PilotsTab";
import { SitesTab } from "./SitesTab";
import { StorageTab } from "./StorageTab";
import { TransfersTab } from "./TransfersTab";
import { TABS, type Tab } from "./tabs";

const route = getRouteApi("/operations");

/** What runs the VO's work and keeps its data, and how all of it fares. */
export function OperationsPage() {
  const { tab = "sites" } = route.useSearch();
  return (
    <div className="page">
      <h1>{t("nav.operations")}</h1>
      <nav className="tabs" aria-label={t("operations.tabs")}>
        {TABS.map((one) => (
          <Link
            key={one}
            to="/operations"
            search={one === "sites" ? {} : { tab: one }}
            aria-current={one === tab ? "page" : undefined}
            className={one === tab ? "tab current" : "tab"}
            resetScroll={false}
          >
            {t(`operations.tab.${one}`)}
          </Link>
        ))}
      </nav>
      <section aria-label={t(`operations.tab.${tab}`)} className="part">
        <Part tab={tab} />
      </section>
    </div>
  );
}

function Part({ tab }: { tab: Tab }) {
  switch (tab) {
    case "sites":
      return <SitesTab />;
    case "pilots":
      return <PilotsTab />;
    case "transfers":
      return <TransfersTab />;
    case "storage":
      return <StorageTab />;
    case "accounting":
      return <AccountingTab />;
  }
}
