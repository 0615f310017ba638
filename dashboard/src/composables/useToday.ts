/** Power through today for the first screen's curve, and today against yesterday up to the same time of day. */

import { ref, shallowRef, watch } from "vue";

import { api, type Summary } from "../api/client";
import type { SparkPoint } from "../components/SparkLine.vue";
import { periodSpan } from "../zone";

const QUARTER_MS = 900_000;
const W_PER_KW = 1000;
const ENOUGH_COVERAGE = 0.95;
const LEAST_KWH = 0.1;

export function useToday(home: () => string | null, summary: () => Summary | null, beat: () => number) {
  const points = shallowRef<SparkPoint[]>([]);
  const change = ref<number | null>(null);

  async function load(): Promise<void> {
    const [asked, shown] = [home(), summary()];
    if (asked === null || shown === null) return;
    const now = new Date(shown.as_of);
    const today = periodSpan("day", now, shown.time_zone);
    const yesterday = periodSpan("day", now, shown.time_zone, -1);
    const sinceMidnightMs = now.getTime() - today.start.getTime();
    try {
      const [quarters, before] = await Promise.all([
        api.usage(asked, { start: today.start, end: now }, "15m", "none"),
        api.usage(
          asked,
          { start: yesterday.start, end: new Date(yesterday.start.getTime() + Math.max(QUARTER_MS, sinceMidnightMs)) },
          "day",
          "none",
        ),
      ]);
      points.value = curve(quarters.items, today, now, shown.power_w ?? null);
      const past = before.items[0];
      change.value =
        past &&
        past.coverage >= ENOUGH_COVERAGE &&
        shown.today.coverage >= ENOUGH_COVERAGE &&
        past.energy_kwh > LEAST_KWH
          ? shown.today.energy_kwh / past.energy_kwh - 1
          : null;
    } catch {
      // the curve is an ornament: the summary's own error says that the server is away
    }
  }

  watch([home, () => summary() !== null, beat], load, { immediate: true });
  return { points, change };
}

interface Quarter {
  start: string;
  energy_kwh: number;
  coverage: number;
}

/** Mean power of each whole quarter of an hour, and the present power at the end. */
export function curve(
  quarters: Quarter[],
  day: { start: Date; end: Date },
  now: Date,
  powerNowW: number | null,
): SparkPoint[] {
  const dayMs = day.end.getTime() - day.start.getTime();
  const share = (instantMs: number) => (instantMs - day.start.getTime()) / dayMs;
  const known = quarters
    .filter((quarter) => Date.parse(quarter.start) + QUARTER_MS <= now.getTime())
    .map((quarter) => ({
      at: share(Date.parse(quarter.start) + QUARTER_MS / 2),
      powerW: quarter.coverage > 0 ? (quarter.energy_kwh * W_PER_KW * 3_600_000) / QUARTER_MS / quarter.coverage : null,
    }));
  return powerNowW === null ? known : [...known, { at: share(now.getTime()), powerW: powerNowW }];
}
