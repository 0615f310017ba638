import { expect, test } from "vitest";

import { curve } from "./useToday";

const DAY = { start: new Date("2025-07-15T16:00:00Z"), end: new Date("2025-07-16T16:00:00Z") };
const NOW = new Date("2025-07-15T16:40:00Z");

test("a quarter's energy is shown as its mean power, the running quarter as the power now", () => {
  const quarters = [
    { start: "2025-07-15T16:00:00Z", energy_kwh: 0.25, coverage: 1 },
    { start: "2025-07-15T16:15:00Z", energy_kwh: 0.1, coverage: 0.5 },
    { start: "2025-07-15T16:30:00Z", energy_kwh: 0.01, coverage: 0.6 },
  ];
  const points = curve(quarters, DAY, NOW, 640);
  expect(points.map((point) => point.powerW)).toEqual([1000, 800, 640]);
  expect(points[0]?.at).toBeCloseTo(7.5 / 1440);
  expect(points[2]?.at).toBeCloseTo(40 / 1440);
});

test("a quarter that was not measured is a gap, not zero", () => {
  expect(curve([{ start: "2025-07-15T16:00:00Z", energy_kwh: 0, coverage: 0 }], DAY, NOW, null)[0]?.powerW).toBeNull();
});
