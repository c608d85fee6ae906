import { useEffect, useState } from "react";

/** Something that is being written, kept in this window at every change: a session that ends loses nothing. */
export function useKept<T>(key: string, start: T): [T, (next: T) => void, () => void] {
  const [value, setValue] = useState<T>(() => {
    const kept = sessionStorage.getItem(key);
    return kept === null ? start : { ...start, ...(JSON.parse(kept) as T) };
  });
  useEffect(() => sessionStorage.setItem(key, JSON.stringify(value)), [key, value]);
  const forget = () => {
    sessionStorage.removeItem(key);
    setValue(start);
  };
  return [value, setValue, forget];
}
