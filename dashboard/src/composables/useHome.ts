/** One home's summary, kept fresh by its live events. */

import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";

import { api, ApiError, type Summary } from "../api/client";
import { useEvents, type EventStream, type LiveState } from "./useEvents";

/** Events come in bursts; the summary is read at most this often. */
const SHORTEST_BETWEEN_READS_MS = 1_000;
/** Without live events the page still asks now and then. */
const FALLBACK_READ_MS = 30_000;

export interface LiveHome {
  summary: ShallowRef<Summary | null>;
  error: ShallowRef<ApiError | null>;
  state: Ref<LiveState>;
  /** Read now: for example after a change that this page made. */
  refresh: () => Promise<void>;
}

export function useHome(home: Ref<string | null>): LiveHome {
  const summary = shallowRef<Summary | null>(null);
  const error = shallowRef<ApiError | null>(null);
  const state = ref<LiveState>("connecting");
  let stream: EventStream | null = null;
  let pending: ReturnType<typeof setTimeout> | null = null;
  let lastReadMs = 0;

  async function refresh(): Promise<void> {
    const asked = home.value;
    if (asked === null) return;
    lastReadMs = Date.now();
    try {
      const read = await api.summary(asked);
      if (home.value !== asked) return;
      summary.value = read;
      error.value = null;
      stream ??= follow(asked, read.event_id);
    } catch (failure) {
      error.value = failure as ApiError;
    }
  }

  function refreshSoon(): void {
    if (pending !== null) return;
    const waitMs = Math.max(0, lastReadMs + SHORTEST_BETWEEN_READS_MS - Date.now());
    pending = setTimeout(() => {
      pending = null;
      void refresh();
    }, waitMs);
  }

  function follow(homeNow: string, after: number): EventStream {
    return useEvents({
      state,
      open: (headers, signal) => api.events(homeNow, after, headers, signal),
      onEvent: refreshSoon,
      onResume: refreshSoon,
    });
  }

  function wake(): void {
    if (document.visibilityState !== "visible") return;
    stream?.retryNow();
    refreshSoon();
  }

  const fallback = setInterval(() => {
    if (state.value !== "live" && document.visibilityState === "visible") refreshSoon();
  }, FALLBACK_READ_MS);
  document.addEventListener("visibilitychange", wake);
  globalThis.addEventListener("online", wake);

  onScopeDispose(() => {
    clearInterval(fallback);
    if (pending !== null) clearTimeout(pending);
    document.removeEventListener("visibilitychange", wake);
    globalThis.removeEventListener("online", wake);
    stream?.stop();
  });

  watch(
    home,
    () => {
      stream?.stop();
      stream = null;
      summary.value = null;
      void refresh();
    },
    { immediate: true },
  );

  return { summary, error, state, refresh };
}
