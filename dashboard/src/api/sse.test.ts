import { expect, test } from "vitest";

import { EventParser } from "./sse";

const STREAM =
  ': hello\n\nretry: 2500\nid: 7\nevent: device\ndata: {"a":1}\n\nid: 8\r\ndata: first\r\ndata: second\r\n\r\nevent: lost\n\nid: 9\rdata\r\r';

const EXPECTED = [
  { id: "7", type: "device", data: '{"a":1}' },
  { id: "8", type: "message", data: "first\nsecond" },
  { id: "9", type: "message", data: "" },
];

test("events come out the same wherever the stream is cut", () => {
  for (let cut = 0; cut <= STREAM.length; cut += 1) {
    const parser = new EventParser();
    const events = [...parser.push(STREAM.slice(0, cut)), ...parser.push(STREAM.slice(cut)), ...parser.push("\n")];
    expect(events, `cut at ${cut}`).toEqual(EXPECTED);
    expect(parser.retryMs).toBe(2500);
  }
});

test("an event that is not complete is not told", () => {
  expect(new EventParser().push("data: half")).toEqual([]);
});
