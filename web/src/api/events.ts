import { EventSourceParserStream } from "eventsource-parser/stream";
import { authorized } from "./client";
import type { News } from "./news";
import { problemOf } from "./problem";

const AGAIN = 1_000;
const SELDOM = 30_000;

/**
 * Hear which jobs change until the signal ends it. The stream ends by itself each minute and is asked for again, and
 * the server tells the last seconds anew, so nothing is missed. Where it fails, it is asked for later and later, and
 * what happened meanwhile is not known. `onLive` hears whether it is heard now.
 */
export async function follow(
  signal: AbortSignal,
  everybody: boolean,
  onNews: (news: News) => void,
  onLive: (live: boolean) => void,
): Promise<void> {
  let pause = AGAIN;
  let missed = false;
  while (!signal.aborted) {
    try {
      await hear(signal, everybody, onNews, () => {
        onLive(true);
        if (missed) onNews(undefined);
        missed = false;
        pause = AGAIN;
      });
    } catch {
      if (signal.aborted) return;
      onLive(false);
      missed = true;
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
