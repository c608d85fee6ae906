import { type DragEvent, useId, useState } from "react";
import { t } from "../i18n";
import { Text } from "../kit/Text";
import { bytes } from "../kit/text";

const MOST_SHOWN = 100;

/** Files of this computer: chosen, or dropped here. */
export function FilesField({ files, onChange }: { files: File[]; onChange: (files: File[]) => void }) {
  const [over, setOver] = useState(false);
  const id = useId();
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    // A folder comes without a kind, and cannot be read as a file.
    onChange([...event.dataTransfer.files].filter((one) => one.type !== "" || one.size > 0));
  };
  return (
    <fieldset
      className={over ? "card drop over" : "card drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <label htmlFor={id}>{t("upload.choose")}</label>
      <input id={id} type="file" multiple onChange={(event) => onChange([...(event.target.files ?? [])])} />
      <p className="quiet">{t("upload.chooseHelp")}</p>
      {files.length > 0 && (
        <ul className="chosen-files">
          {files.slice(0, MOST_SHOWN).map((one) => (
            <li key={`${one.name} ${one.size} ${one.lastModified}`}>
              <Text longest={120}>{one.name}</Text> <span className="quiet">{bytes(one.size)}</span>
            </li>
          ))}
          {files.length > MOST_SHOWN && <li className="quiet">{t("did.andMore")}</li>}
        </ul>
      )}
    </fieldset>
  );
}
