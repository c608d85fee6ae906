import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { t } from "../i18n";
import { Empty } from "../kit/Empty";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { Frame } from "./Frame";
import { extensions } from "./queries";

const route = getRouteApi("/x/$name");

/** A page that the VO has added. */
export function ExtensionPage() {
  const { name } = route.useParams();
  const { data, error, refetch } = useQuery(extensions);
  if (data === undefined) {
    return error === null ? (
      <p className="waiting">{t("common.loading")}</p>
    ) : (
      <Trouble error={error} onRetry={refetch} />
    );
  }
  const extension = data.items.find((one) => one.name === name && one.places.includes("page"));
  if (extension === undefined) {
    return (
      <Empty alone title={t("problem.notFound")}>
        <p>{t("extension.none")}</p>
      </Empty>
    );
  }
  return (
    <div className="page">
      <h1>
        <Text longest={60}>{extension.title}</Text>
      </h1>
      <div className="card">
        <Frame key={extension.path} extension={extension} place="page" subject={null} />
      </div>
    </div>
  );
}
