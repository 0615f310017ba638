/** A live stream that reconnects by itself and resumes after the last event it saw. */

import { onScopeDispose, ref, type Ref } from "vue";

import { EventParser, type ServerEvent } from "../api/sse";

export type LiveState = "connecting" | "live" | "offline";

export interface EventStreamOptions {
  /** Opens the stream; the header names the last event seen, if any. */
  open: (headers: Record<string, string>, signal: AbortSignal) => Promise<Response>;
  onEvent: (event: ServerEvent) => void;
  /** Called when the stream stands again: what was missed while it was down may not all be resent. */
  onResume?: () => void;
  /** Where to show the state; made where it is not given. */
  state?: Ref<LiveState>;
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  random?: () => number;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
/** The server sends a comment more often than this; a silent connection is a dead one. */
const SILENCE_MS = 45_000;

export interface EventStream {
  state: Ref<LiveState>;
  /** Try again at once, for example because the browser says that it is online. */
  retryNow: () => void;
  stop: () => void;
}

/** Start a stream that lives until `stop` or until the component that made it goes. */
export function useEvents(options: EventStreamOptions): EventStream {
  const state = options.state ?? ref<LiveState>("connecting");
  const wait = options.wait ?? pause;
  const random = options.random ?? Math.random;
  const parser = { lastId: "", retryMs: null as number | null };
  let stopped = false;
  let current = new AbortController();

  async function run(): Promise<void> {
    let failures = 0;
    let connectedBefore = false;
    while (!stopped) {
      current = new AbortController();
      try {
        await readOnce(current, () => {
          failures = 0;
          if (connectedBefore) options.onResume?.();
          connectedBefore = true;
        });
      } catch {
        // the wait below and the mark on the page are the answer to every failure
      }
      if (stopped) return;
      state.value = "offline";
      failures += 1;
      current = new AbortController();
      await wait(delayMs(failures, parser.retryMs ?? FIRST_WAIT_MS, random), current.signal).catch(() => undefined);
    }
  }

  async function readOnce(abort: AbortController, onOpen: () => void): Promise<void> {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (parser.lastId) headers["Last-Event-ID"] = parser.lastId;
    const response = await options.open(headers, abort.signal);
    if (!response.ok || !response.body) throw new Error(`the event stream answered ${response.status}`);
    state.value = "live";
    onOpen();
    const events = new EventParser();
    events.lastId = parser.lastId;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
        for (const event of events.push(value)) {
          parser.lastId = event.id;
          options.onEvent(event);
        }
        parser.retryMs = events.retryMs ?? parser.retryMs;
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  function retryNow(): void {
    if (state.value === "offline") current.abort();
  }

  function stop(): void {
    stopped = true;
    current.abort();
  }

  onScopeDispose(stop, true);
  void run();
  return { state, retryNow, stop };
}

/** Doubles with each failure up to a limit, and is spread so that many pages do not come back at once. */
export function delayMs(failures: number, firstMs: number, random: () => number): number {
  const ceiling = Math.min(LONGEST_WAIT_MS, firstMs * 2 ** (failures - 1));
  return ceiling / 2 + (random() * ceiling) / 2;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Error("woken"));
    });
  });
}
