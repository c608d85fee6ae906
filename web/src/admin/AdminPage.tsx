import { getRouteApi, Link } from "@tanstack/react-router";
import { t } from "../i18n";
import { AccountsTab } from "./AccountsTab";
import { AuditTab } from "./AuditTab";
import { ConfigurationTab } from "./ConfigurationTab";
import { TABS, type Tab } from "./tabs";
import { VoTab } from "./VoTab";

const route = getRouteApi("/admin");

/** Who may do what in the VO, who did what, and how it is configured. */
export function AdminPage() {
  const { tab = "accounts" } = route.useSearch();
  return (
    <div className="page">
      <h1>{t("nav.admin")}</h1>
      <nav className="tabs" aria-label={t("admin.tabs")}>
        {TABS.map((one) => (
          <Link
            key={one}
            to="/admin"
            search={one === "accounts" ? {} : { tab: one }}
            aria-current={one === tab ? "page" : undefined}
            className={one === tab ? "tab current" : "tab"}
            resetScroll={false}
          >
            {t(`admin.tab.${one}`)}
          </Link>
        ))}
      </nav>
      <section aria-label={t(`admin.tab.${tab}`)} className="part">
        <Part tab={tab} />
      </section>
    </div>
  );
}

function Part({ tab }: { tab: Tab }) {
  switch (tab) {
    case "accounts":
      return <AccountsTab />;
    case "audit":
      return <AuditTab />;
    case "configuration":
      return <ConfigurationTab />;
    case "vo":
      return <VoTab />;
  }
}
