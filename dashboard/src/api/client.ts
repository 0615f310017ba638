/** The one place that speaks HTTP. The session is an HttpOnly cookie of this origin; the page holds no token. */

import createClient from "openapi-fetch";

import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type Summary = Schemas["Summary"];
export type Room = Schemas["Room"];
export type AirConditioner = Schemas["AirConditioner"];
export type Decision = Schemas["Decision"];
export type Override = Schemas["Override"];
export type Target = Schemas["Target"];
export type Control = Schemas["Control"];
export type CommandState = Schemas["CommandState"];
export type Device = Schemas["Device"];
export type UsageItem = Schemas["UsageItem"];
export type Interval = Schemas["Interval"];
export type GroupBy = Schemas["GroupBy"];
export type Advice = Schemas["Advice"];
export type Savings = Schemas["Savings"];
export type Me = Schemas["Me"];
type Problem = Schemas["Problem"];

/** An answer that is not what was asked for; `code` is the API's stable word, or "network" where nobody answered. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    detail: string,
  ) {
    super(detail);
  }
}

const client = createClient<paths>({ baseUrl: globalThis.location?.origin ?? "", credentials: "same-origin" });

let language = "en";

/** The language in which the API shall speak its sentences. */
export function speak(next: string): void {
  language = next;
}

client.use({
  onRequest({ request }) {
    request.headers.set("Accept-Language", language);
    return request;
  },
});

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

async function unwrap<Data>(answer: Promise<Answer<Data>>): Promise<Data> {
  let settled: Answer<Data>;
  try {
    settled = await answer;
  } catch (error) {
    throw new ApiError("network", 0, String(error));
  }
  if (settled.response.ok) return settled.data as Data;
  const problem = settled.error as Partial<Problem> | undefined;
  throw new ApiError(
    problem?.code ?? "unknown",
    settled.response.status,
    problem?.detail ?? settled.response.statusText,
  );
}

/** All items of a paged list; `read` asks for the page at a cursor. */
async function allPages<Item>(
  read: (cursor: string | undefined) => Promise<{ items: Item[]; next?: string | null }>,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    items.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return items;
}

const inHome = (home: string) => ({ params: { path: { home_id: home } } });
const inRoom = (room: number) => ({ params: { path: { room_id: room } } });
const at = (cursor: string | undefined) => (cursor === undefined ? {} : { cursor });

export const api = {
  me: () => unwrap(client.GET("/api/v1/me")),

  login: (name: string, password: string) => unwrap(client.POST("/api/v1/login", { body: { name, password } })),

  logout: () => unwrap(client.POST("/api/v1/logout")),

  setup: (token: string, name: string, password: string) =>
    unwrap(client.POST("/api/v1/setup", { body: { token, name, password } })),

  summary: (home: string) => unwrap(client.GET("/api/v1/homes/{home_id}/summary", inHome(home))),

  advice: (home: string) => unwrap(client.GET("/api/v1/homes/{home_id}/advice", inHome(home))),

  devices: (home: string) =>
    allPages((cursor) =>
      unwrap(
        client.GET("/api/v1/homes/{home_id}/devices", {
          params: { path: { home_id: home }, query: { limit: 200, ...at(cursor) } },
        }),
      ),
    ),

  usage: (home: string, span: { start: Date; end: Date }, interval: Interval, group_by: GroupBy) =>
    unwrap(
      client.GET("/api/v1/homes/{home_id}/usage", {
        params: {
          path: { home_id: home },
          query: { start: span.start.toISOString(), end: span.end.toISOString(), interval, group_by },
        },
      }),
    ),

  override: (room: number, target: Target, until: Date) =>
    unwrap(
      client.PUT("/api/v1/rooms/{room_id}/override", { ...inRoom(room), body: { target, until: until.toISOString() } }),
    ),

  endOverride: (room: number) => unwrap(client.DELETE("/api/v1/rooms/{room_id}/override", inRoom(room))),

  setControl: (room: number, control: Control) =>
    unwrap(client.PUT("/api/v1/rooms/{room_id}/control", { ...inRoom(room), body: { control } })),

  fleet: (cursor: string | undefined) =>
    unwrap(client.GET("/api/v1/fleet/devices", { params: { query: { limit: 200, ...at(cursor) } } })),

  /** The live stream, as an open response whose body never ends. */
  events: (home: string, after: number, headers: Record<string, string>, signal: AbortSignal) =>
    fetch(`/api/v1/homes/${encodeURIComponent(home)}/events?after=${after}`, {
      headers,
      signal,
      credentials: "same-origin",
      cache: "no-store",
    }),
};
