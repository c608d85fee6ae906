import { useQuery } from "@tanstack/react-query";
import type { Hello, Subject } from "../../../src/sancho/web/host/host-1";
import { Panel } from "../kit/Panel";
import { shown } from "../kit/text";
import { Frame } from "./Frame";
import { extensions } from "./queries";

/** What the VO adds to the page of a job or a DID; nothing where it adds nothing. */
export function Panels({ place, subject }: { place: Hello["place"]; subject: Subject }) {
  const { data } = useQuery(extensions);
  return data?.items
    .filter((one) => one.places.includes(place))
    .map((one) => (
      <Panel key={one.path} title={shown(one.title, 60)}>
        <Frame extension={one} place={place} subject={subject} />
      </Panel>
    ));
}
