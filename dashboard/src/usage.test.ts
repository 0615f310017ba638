import { describe, expect, test } from "vitest";

import type { UsageItem } from "./api/client";
import { addMoney, isBlank, leastCoverage, stackUsage } from "./usage";

function item(start: string, key: string, energyKwh: number, cost: string | null = "0.1", coverage = 1): UsageItem {
  return {
    start,
    end: start,
    key,
    energy_kwh: energyKwh,
    cost,
    currency: "CNY",
    co2_kg: null,
    coverage,
    source: "counter",
  };
}

const FIRST = "2025-07-16T00:00:00Z";
const SECOND = "2025-07-16T01:00:00Z";
const NOW = new Date("2025-07-16T02:00:00Z");

describe("stacking", () => {
  test("the largest devices come first and the rest are summed", () => {
    const items = [item(FIRST, "a", 1), item(FIRST, "b", 5), item(FIRST, "c", 3), item(FIRST, "d", 2)];
    const view = stackUsage(items, [], NOW, 2, "other");
    expect(view.series).toEqual(["b", "c", "other"]);
    expect(view.bars[0]?.energyKwh).toEqual([5, 3, 3]);
    expect(view.totalKwh).toBe(11);
  });

  test("one device too many is shown as itself, not as others", () => {
    const view = stackUsage([item(FIRST, "a", 1), item(FIRST, "b", 5), item(FIRST, "c", 3)], [], NOW, 2, "other");
    expect(view.series).toEqual(["b", "c", "a"]);
  });

  test("hours without figures keep their place", () => {
    const view = stackUsage([item(SECOND, "a", 1)], [new Date(FIRST), new Date(SECOND)], NOW, 2, "other");
    expect(view.bars.map((bar) => bar.totalKwh)).toEqual([0, 1]);
    expect(view.bars.map(isBlank)).toEqual([true, false]);
    expect(view.bars.map(leastCoverage)).toEqual([0, 1]);
    expect([view.hasGaps, view.isEmpty]).toEqual([true, false]);
  });

  test("hours to come are no gaps", () => {
    const starts = [new Date(FIRST), new Date(SECOND)];
    expect(stackUsage([item(FIRST, "a", 1)], starts, new Date(SECOND), 2, "other").hasGaps).toBe(false);
  });

  test("what a device may still report of the running hour is no gap, more than that is", () => {
    const running = (coverage: number) => ({ ...item(SECOND, "a", 1, "1", coverage), end: "2025-07-16T03:00:00Z" });
    expect(stackUsage([running(0.9)], [], NOW, 2, "other").hasGaps).toBe(false);
    expect(stackUsage([running(0.5)], [], NOW, 2, "other").hasGaps).toBe(true);
  });

  test("a time without any measurement is empty, though it has figures", () => {
    expect(stackUsage([item(FIRST, "a", 0, "0", 0)], [], NOW, 2, "other").isEmpty).toBe(true);
  });

  test("a part that was not measured is said", () => {
    expect(stackUsage([item(FIRST, "a", 1, "1", 0.5)], [], NOW, 2, "other").hasGaps).toBe(true);
    expect(stackUsage([item(FIRST, "a", 1, "1", 0.99)], [], NOW, 2, "other").hasGaps).toBe(false);
  });
});

describe("money", () => {
  test("sums are exact", () => {
    expect(addMoney("0.1", "0.2")).toBe("0.300000");
    expect(addMoney("-0.000001", "0")).toBe("-0.000001");
    expect(addMoney("12345678901234.000001", "1")).toBe("12345678901235.000001");
  });

  test("nothing known stays unknown", () => {
    expect(addMoney(null, null)).toBeNull();
    expect(addMoney(null, "1.5")).toBe("1.5");
    expect(stackUsage([item(FIRST, "a", 1, null)], [], NOW, 2, "other").cost).toBeNull();
  });
});
