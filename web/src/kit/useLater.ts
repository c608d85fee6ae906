import { useEffect, useState } from "react";

/** A value as it was once it has stayed the same for a while: what is typed is not asked about letter by letter. */
export function useLater<T>(value: T, pause = 400): T {
  const [later, setLater] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLater(value), pause);
    return () => clearTimeout(timer);
  }, [value, pause]);
  return later;
}
