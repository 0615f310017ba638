/** From the API's usage items to what a chart and a table show. Sums of money are made in whole millionths. */

import type { UsageItem } from "./api/client";

export interface UsageBar {
  start: Date;
  /** kWh by series, in the order of `UsageView.series`. */
  energyKwh: number[];
  /** Smallest coverage by series, 0..1; null where the series has no item. */
  coverage: (number | null)[];
  totalKwh: number;
  cost: string | null;
}

export interface UsageView {
  series: string[];
  bars: UsageBar[];
  totalKwh: number;
  cost: string | null;
  /** Some part of a bar that is not yet to come was not measured. */
  hasGaps: boolean;
  /** Nothing was measured in any bar. */
  isEmpty: boolean;
}

const FULL_COVERAGE = 0.98;
const MICRO_DIGITS = 6;
/** The slowest devices report each quarter of an hour. */
const REPORT_LAG_MS = 900_000;

/**
 * Stack items by key: the `most` largest keys as series of their own, the others together under `other`.
 * There is a bar for each of `starts`, also where nothing was measured, or is yet to come after `now`.
 */
export function stackUsage(items: UsageItem[], starts: Date[], now: Date, most: number, other: string): UsageView {
  const totals = new Map<string, number>();
  for (const item of items) totals.set(keyOf(item), (totals.get(keyOf(item)) ?? 0) + item.energy_kwh);
  const ranked = [...totals.entries()].sort((a, b) => b[1] - a[1]).map(([key]) => key);
  const own = ranked.length <= most + 1 ? ranked : ranked.slice(0, most);
  const series = own.length < ranked.length ? [...own, other] : own;
  const indexOf = (item: UsageItem) => {
    const index = series.indexOf(keyOf(item));
    return index < 0 ? series.length - 1 : index;
  };

  const bars = new Map<number, UsageBar>(starts.map((start) => [start.getTime(), emptyBar(start, series.length)]));
  for (const item of items) {
    const start = new Date(item.start);
    const bar = bars.get(start.getTime()) ?? emptyBar(start, series.length);
    bars.set(start.getTime(), bar);
    const index = indexOf(item);
    bar.energyKwh[index]! += item.energy_kwh;
    bar.coverage[index] = Math.min(bar.coverage[index] ?? 1, settledCoverage(item, now));
    bar.totalKwh += item.energy_kwh;
    bar.cost = addMoney(bar.cost, item.cost ?? null);
  }
  const sorted = [...bars.values()].sort((a, b) => a.start.getTime() - b.start.getTime());
  return {
    series,
    bars: sorted,
    totalKwh: sorted.reduce((sum, bar) => sum + bar.totalKwh, 0),
    cost: sorted.reduce<string | null>((sum, bar) => addMoney(sum, bar.cost), null),
    hasGaps: sorted.some((bar) => bar.start < now && !isCovered(leastCoverage(bar))),
    isEmpty: sorted.every((bar) => isBlank(bar)),
  };
}

/** Coverage of an item; in one that is not over, the last minutes may still be reported and are no gap. */
function settledCoverage(item: UsageItem, now: Date): number {
  const [startMs, endMs] = [Date.parse(item.start), Date.parse(item.end)];
  if (endMs <= now.getTime() || item.coverage === 0) return item.coverage;
  return Math.min(1, item.coverage + REPORT_LAG_MS / (endMs - startMs));
}

/** Whether so small a part is missing that a reader need not know. */
export function isCovered(coverage: number): boolean {
  return coverage >= FULL_COVERAGE;
}

/** The exact sum of two decimals; null is nothing known. */
export function addMoney(first: string | null, second: string | null): string | null {
  if (first === null) return second;
  if (second === null) return first;
  return fromMicros(toMicros(first) + toMicros(second));
}

function toMicros(amount: string): bigint {
  const [whole = "0", fraction = ""] = amount.replace("-", "").split(".");
  const micros = BigInt(whole + fraction.slice(0, MICRO_DIGITS).padEnd(MICRO_DIGITS, "0"));
  return amount.startsWith("-") ? -micros : micros;
}

function fromMicros(micros: bigint): string {
  const digits = (micros < 0n ? -micros : micros).toString().padStart(MICRO_DIGITS + 1, "0");
  return `${micros < 0n ? "-" : ""}${digits.slice(0, -MICRO_DIGITS)}.${digits.slice(-MICRO_DIGITS)}`;
}

function keyOf(item: UsageItem): string {
  return item.key ?? "";
}

function emptyBar(start: Date, seriesCount: number): UsageBar {
  return {
    start,
    energyKwh: Array.from({ length: seriesCount }, () => 0),
    coverage: Array.from({ length: seriesCount }, () => null),
    totalKwh: 0,
    cost: null,
  };
}

/** The smallest measured share of the devices in a bar; 0 where there is none. */
export function leastCoverage(bar: UsageBar): number {
  const known = bar.coverage.filter((share) => share !== null);
  return known.length === 0 ? 0 : Math.min(...known);
}

/** Whether nothing at all was measured. */
export function isBlank(bar: UsageBar): boolean {
  return bar.coverage.every((share) => share === null || share === 0);
}
