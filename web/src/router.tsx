import { createRootRoute, createRoute, createRouter, Link, lazyRouteComponent } from "@tanstack/react-router";
import { readAdmin } from "./admin/tabs";
import { readDidSearch } from "./data/search";
import { DID_TABS, type DidTab } from "./data/tabs";
import { HomePage } from "./home/HomePage";
import { t } from "./i18n";
import { JobsPage } from "./jobs/JobsPage";
import { readSearch } from "./jobs/search";
import { TABS, type Tab } from "./jobs/tabs";
import { Empty } from "./kit/Empty";
import { readOperations } from "./operations/tabs";
import { Shell } from "./shell/Shell";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Crashed });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: HomePage,
});
const jobs = createRoute({
  getParentRoute: () => root,
  path: "/jobs",
  validateSearch: readSearch,
  component: JobsPage,
});
const job = createRoute({
  getParentRoute: () => root,
  path: "/jobs/$id",
  validateSearch: (said: Record<string, unknown>): { tab?: Tab } => {
    const tab = TABS.find((one) => one === said.tab);
    return tab === undefined ? {} : { tab };
  },
  component: lazyRouteComponent(() => import("./jobs/JobPage"), "JobPage"),
});
const submit = createRoute({
  getParentRoute: () => root,
  path: "/submit",
  validateSearch: (given: Record<string, unknown>): { again?: number } =>
    Number.isSafeInteger(given.again) && Number(given.again) > 0 ? { again: Number(given.again) } : {},
  component: lazyRouteComponent(() => import("./jobs/SubmitPage"), "SubmitPage"),
});
const operations = createRoute({
  getParentRoute: () => root,
  path: "/operations",
  validateSearch: readOperations,
  component: lazyRouteComponent(() => import("./operations/OperationsPage"), "OperationsPage"),
});
const admin = createRoute({
  getParentRoute: () => root,
  path: "/admin",
  validateSearch: readAdmin,
  component: lazyRouteComponent(() => import("./admin/AdminPage"), "AdminPage"),
});

const extension = createRoute({
  getParentRoute: () => root,
  path: "/x/$name",
  component: lazyRouteComponent(() => import("./extensions/ExtensionPage"), "ExtensionPage"),
});

const said = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value.slice(0, 400) : undefined;
const data = createRoute({
  getParentRoute: () => root,
  path: "/data",
  validateSearch: (given: Record<string, unknown>): { path?: string } => {
    const path = said(given.path);
    return path === undefined ? {} : { path };
  },
  component: lazyRouteComponent(() => import("./data/BrowsePage"), "BrowsePage"),
});
const dataSearch = createRoute({
  getParentRoute: () => root,
  path: "/data/search",
  validateSearch: readDidSearch,
  component: lazyRouteComponent(() => import("./data/SearchPage"), "SearchPage"),
});
const did = createRoute({
  getParentRoute: () => root,
  path: "/data/did",
  validateSearch: (given: Record<string, unknown>): { did?: string; tab?: DidTab } => {
    const [name, tab] = [said(given.did), DID_TABS.find((one) => one === given.tab)];
    return { ...(name === undefined ? {} : { did: name }), ...(tab === undefined ? {} : { tab }) };
  },
  component: lazyRouteComponent(() => import("./data/DidPage"), "DidPage"),
});
const rule = createRoute({
  getParentRoute: () => root,
  path: "/data/rule",
  validateSearch: (given: Record<string, unknown>): { did?: string } => {
    const name = said(given.did);
    return name === undefined ? {} : { did: name };
  },
  component: lazyRouteComponent(() => import("./data/RulePage"), "RulePage"),
});
const upload = createRoute({
  getParentRoute: () => root,
  path: "/data/upload",
  validateSearch: (given: Record<string, unknown>): { dataset?: string } => {
    const name = said(given.dataset);
    return name === undefined ? {} : { dataset: name };
  },
  component: lazyRouteComponent(() => import("./data/UploadPage"), "UploadPage"),
});

/** The pages, each with what its URL may say. A new one is a route here, and a link in the shell. */
export const router = createRouter({
  routeTree: root.addChildren([
    home,
    jobs,
    job,
    submit,
    data,
    dataSearch,
    did,
    rule,
    upload,
    operations,
    admin,
    extension,
  ]),
  basepath: "/ui",
  defaultPreload: "intent",
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

function NotFound() {
  return (
    <Empty alone title={t("problem.notFound")}>
      <p>{t("problem.notFoundHint")}</p>
      <Link to="/jobs" className="button">
        {t("job.back")}
      </Link>
    </Empty>
  );
}

function Crashed() {
  return (
    <Empty alone title={t("problem.crashed")}>
      <p>{t("problem.crashedHint")}</p>
    </Empty>
  );
}
