import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import type { Hello, Subject } from "../../../src/sancho/web/host/host-1";
import { t } from "../i18n";
import { me } from "../jobs/queries";
import { shown as harmless } from "../kit/text";
import { host } from "./host";
import type { Extension } from "./queries";

type Props = { extension: Extension; place: Hello["place"]; subject: Subject };

/** An extension in a frame that has no origin: it shows itself, and asks the page for the rest. */
export function Frame({ extension, place, subject }: Props) {
  const { data } = useQuery(me);
  const router = useRouter();
  const frame = useRef<HTMLIFrameElement>(null);
  const [height, setHeight] = useState(extension.height);
  const [gone, setGone] = useState(false);
  useEffect(() => {
    if (frame.current === null || data === undefined) return;
    const { vo, account } = data;
    return host(
      frame.current,
      { extension, place, subject, vo, account },
      {
        open: (page) => void router.navigate({ href: page }),
        height: setHeight,
        gone: () => setGone(true),
      },
    );
  }, [data, extension, place, subject, router]);
  if (gone) return <p className="quiet">{t("extension.gone")}</p>;
  return data === undefined ? null : (
    <iframe
      ref={frame}
      className="extension"
      title={harmless(extension.title, 60)}
      sandbox="allow-scripts"
      referrerPolicy="no-referrer"
      src={extension.path}
      style={{ height }}
    />
  );
}
