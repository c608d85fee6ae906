import { EventSourceParserStream } from "eventsource-parser/stream";
import { authorized } from "./client";
import type { News } from "./news";
import { problemOf } from "./problem";

const AGAIN = 1_000;
const SELDOM = 30_000;

/**
 * Hear which jobs change until the signal ends it. The stream ends by itself each minute and is asked for again; where
 * it fails, later and later. `onLive` hears whether it is heard now.
 */
export async function follow(
  signal: AbortSignal,
  everybody: boolean,
  onNews: (news: News) => void,
  onLive: (live: boolean) => void,
): Promise<void> {
  let pause = AGAIN;
  while (!signal.aborted) {
    try {
      await hear(signal, everybody, onNews, () => {
        onLive(true);
        pause = AGAIN;
      });
    } catch {
      if (signal.aborted) return;
      onLive(false);
      pause = Math.min(2 * pause, SELDOM);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function hear(
  signal: AbortSignal,
  everybody: boolean,
  onNews: (news: News) => void,
  onOpen: () => void,
): Promise<void> {
  const response = await authorized(new Request(`/v1/events?everybody=${everybody}`, { signal }));
  if (!response.ok || response.body === null) throw await problemOf(response);
  onOpen();
  onNews(undefined);
  const reader = response.body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (value.event === "jobs") onNews(JSON.parse(value.data) as NonNullable<News>);
  }
}
