import { describe, expect, test } from "vitest";

import { bucketStarts, hourIn, nextAt, periodSpan } from "./zone";

const SHANGHAI = "Asia/Shanghai";
const BERLIN = "Europe/Berlin";
const NOW = new Date("2025-07-16T18:30:00Z"); // Thursday 02:30 in Shanghai, Wednesday 20:30 in Berlin

const text = (span: { start: Date; end: Date }) => [span.start.toISOString(), span.end.toISOString()];

describe("periods of a home's zone", () => {
  test("a day begins at the home's midnight", () => {
    expect(text(periodSpan("day", NOW, SHANGHAI))).toEqual(["2025-07-16T16:00:00.000Z", "2025-07-17T16:00:00.000Z"]);
    expect(text(periodSpan("day", NOW, BERLIN))).toEqual(["2025-07-15T22:00:00.000Z", "2025-07-16T22:00:00.000Z"]);
  });

  test("a week begins on Monday", () => {
    expect(text(periodSpan("week", NOW, SHANGHAI))).toEqual(["2025-07-13T16:00:00.000Z", "2025-07-20T16:00:00.000Z"]);
    const sunday = new Date("2025-07-20T10:00:00Z");
    expect(text(periodSpan("week", sunday, SHANGHAI))).toEqual(text(periodSpan("week", NOW, SHANGHAI)));
  });

  test("months roll over the year", () => {
    const january = new Date("2025-01-31T04:00:00Z");
    expect(text(periodSpan("month", january, SHANGHAI, -1))).toEqual([
      "2024-11-30T16:00:00.000Z",
      "2024-12-31T16:00:00.000Z",
    ]);
  });

  test("the days on which clocks change have 23 and 25 hours", () => {
    const spring = periodSpan("day", new Date("2025-03-30T12:00:00Z"), BERLIN);
    const autumn = periodSpan("day", new Date("2025-10-26T12:00:00Z"), BERLIN);
    expect(bucketStarts("day", spring, BERLIN)).toHaveLength(23);
    expect(bucketStarts("day", autumn, BERLIN)).toHaveLength(25);
  });

  test("neighbouring periods meet, whatever the clocks do", () => {
    for (const period of ["day", "week", "month"] as const) {
      for (let offset = -400; offset < 0; offset += 1) {
        const [here, next] = [periodSpan(period, NOW, BERLIN, offset), periodSpan(period, NOW, BERLIN, offset + 1)];
        expect(here.end).toEqual(next.start);
      }
    }
  });

  test("a month has a bar for each of its days", () => {
    const starts = bucketStarts("month", periodSpan("month", new Date("2025-03-10T00:00:00Z"), BERLIN), BERLIN);
    expect(starts).toHaveLength(31);
    expect(starts.every((start) => hourIn(start, BERLIN) === 0)).toBe(true);
  });
});

test("the next seven o'clock is today's before it and tomorrow's after it", () => {
  expect(nextAt(7, NOW, SHANGHAI).toISOString()).toBe("2025-07-16T23:00:00.000Z");
  expect(nextAt(7, new Date("2025-07-16T23:00:00Z"), SHANGHAI).toISOString()).toBe("2025-07-17T23:00:00.000Z");
});
