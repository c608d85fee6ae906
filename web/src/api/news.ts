/** Jobs that changed; with `more`, others too. `undefined`: anything may have changed since the last news. */
export type News = { job_ids: number[]; more: boolean } | undefined;
/** News that were not told yet. */
export type Gathered = NonNullable<News> | "anything" | undefined;

/** What was gathered, with one more piece of news. */
export function merged(before: Gathered, news: News): NonNullable<Gathered> {
  if (news === undefined || before === "anything") return "anything";
  if (before === undefined) return news;
  return { job_ids: [...new Set([...before.job_ids, ...news.job_ids])], more: before.more || news.more };
}
