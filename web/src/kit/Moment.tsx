import { useEffect, useState } from "react";
import { ago, moment } from "./time";

/** How long ago something was; the full moment stands in its title. */
export function Moment({ at }: { at: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 15_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={at} title={moment(at)}>
      {ago(at, Math.max(now, Date.parse(at)))}
    </time>
  );
}
