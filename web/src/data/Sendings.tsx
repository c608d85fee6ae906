import { t } from "../i18n";
import { Text } from "../kit/Text";
import { bytes } from "../kit/text";
import type { Sending } from "./upload";

const MOST_SHOWN = 200;

/** How far each file is, those that move first. */
export function Sendings({ sendings }: { sendings: Sending[] }) {
  const busy = (one: Sending) => one.phase === "reading" || one.phase === "sending";
  const shown = [...sendings.filter(busy), ...sendings.filter((one) => !busy(one))].slice(0, MOST_SHOWN);
  return (
    <ul className="files" aria-label={t("upload.progress")}>
      {shown.map((one) => (
        <li key={one.did} className="sending">
          <div className="spread">
            <Text longest={120}>{one.did}</Text>
            <span className="quiet">{words(one)}</span>
          </div>
          <progress max={Math.max(one.file.size, 1)} value={one.moved} aria-label={one.file.name} />
        </li>
      ))}
    </ul>
  );
}

function words(one: Sending): string {
  const facts = { moved: bytes(one.moved), size: bytes(one.file.size) };
  return t(`upload.phase.${one.phase}`, facts);
}
