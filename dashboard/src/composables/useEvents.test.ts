import { effectScope } from "vue";
import { expect, test } from "vitest";

import type { ServerEvent } from "../api/sse";
import { delayMs, useEvents } from "./useEvents";

function latch<Value>() {
  let resolve!: (value: Value) => void;
  const promise = new Promise<Value>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** A server whose every connection is a script: text to send, then the end; null is a failure. */
function serve(...connections: (string | null)[]) {
  const asked: (string | null)[] = [];
  const done = latch<void>();
  const waits: number[] = [];
  const open = (headers: Record<string, string>, signal: AbortSignal): Promise<Response> => {
    asked.push(headers["Last-Event-ID"] ?? null);
    const script = connections.shift();
    if (script === undefined) {
      done.resolve();
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    }
    return script === null ? Promise.reject(new Error("refused")) : Promise.resolve(new Response(script));
  };
  const wait = (ms: number) => {
    waits.push(ms);
    return Promise.resolve();
  };
  return { asked, done: done.promise, waits, open, wait };
}

test("the stream resumes after the last event it saw, and says so", async () => {
  const server = serve("id: 1\ndata: a\n\nid: 2\ndata: b\n\n", null, "id: 3\ndata: c\n\n");
  const seen: ServerEvent[] = [];
  let resumed = 0;
  const scope = effectScope();
  scope.run(() => useEvents({ ...server, onEvent: (event) => seen.push(event), onResume: () => (resumed += 1) }));
  await server.done;
  scope.stop();
  expect(server.asked).toEqual([null, "2", "2", "3"]);
  expect(seen.map((event) => event.data)).toEqual(["a", "b", "c"]);
  expect(resumed).toBe(1);
});

test("an error answer is waited out and the server's own retry time is kept to", async () => {
  const server = serve("retry: 8000\n\n", null, null);
  const scope = effectScope();
  scope.run(() => useEvents({ ...server, onEvent: () => undefined, random: () => 1 }));
  await server.done;
  scope.stop();
  expect(server.waits).toEqual([8000, 16_000, 30_000]);
});

test("a stopped stream asks no more", async () => {
  const asked: string[] = [];
  const opened = latch<AbortSignal>();
  const scope = effectScope();
  scope.run(() =>
    useEvents({
      open: (_, signal) => {
        asked.push("again");
        opened.resolve(signal);
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
      },
      onEvent: () => undefined,
      wait: () => Promise.resolve(),
    }),
  );
  const signal = await opened.promise;
  scope.stop();
  expect(signal.aborted).toBe(true);
  await new Promise((resolve) => setTimeout(resolve)); // one turn: the loop has had its chance
  expect(asked).toHaveLength(1);
});

test("waits double up to half a minute and are spread", () => {
  expect([1, 2, 3, 4, 5, 6, 7].map((failures) => delayMs(failures, 1000, () => 1))).toEqual([
    1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
  ]);
  expect(delayMs(1, 1000, () => 0)).toBe(500);
});
