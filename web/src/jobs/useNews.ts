import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { follow } from "../api/events";
import { type Gathered, merged, type News } from "../api/news";
import { setLive } from "../shell/live";

const GATHERED = 1_500;

/** Hear of changes while the page is looked at; `onNews` is called with all that came within a moment. */
export function useNews(everybody: boolean, onNews: (news: News) => void): void {
  const cache = useQueryClient();
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is done with news may change without listening anew
  useEffect(() => {
    const ending = new AbortController();
    let gathered: Gathered;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tell = () => {
      timer = undefined;
      const news = gathered === "anything" ? undefined : gathered;
      gathered = undefined;
      onNews(news);
    };
    const hear = (news: News) => {
      gathered = merged(gathered, news);
      timer ??= setTimeout(tell, GATHERED);
    };
    follow(ending.signal, everybody, hear, setLive).catch(() => setLive(false));
    return () => {
      ending.abort();
      clearTimeout(timer);
      setLive(undefined);
    };
  }, [everybody, cache]);
}
