/** Days, weeks and months of a home's time zone, as half-open spans of instants. */

export type Period = "day" | "week" | "month";

export interface Span {
  start: Date;
  end: Date;
}

interface Day {
  year: number;
  month: number; // 1..12
  day: number;
}

const HOUR_MS = 3_600_000;

/** The day, week (from Monday) or month that holds `instant`, `offset` periods on. */
export function periodSpan(period: Period, instant: Date, timeZone: string, offset = 0): Span {
  const today = dayIn(instant, timeZone);
  const [first, next] = daysOf(period, today, offset);
  return { start: startOfDay(first, timeZone), end: startOfDay(next, timeZone) };
}

/** Starts of the bars of a period: hours of a day (23 or 25 at times), days of a week or a month. */
export function bucketStarts(period: Period, span: Span, timeZone: string): Date[] {
  const starts: Date[] = [];
  let start = span.start;
  while (start < span.end) {
    starts.push(start);
    start = period === "day" ? new Date(start.getTime() + HOUR_MS) : periodSpan("day", start, timeZone, 1).start;
  }
  return starts;
}

/** The year-month-day that a wall in the zone shows. */
export function dayIn(instant: Date, timeZone: string): Day {
  const [year, month, day] = wallClock(instant, timeZone);
  return { year, month, day };
}

/** Hours since midnight on a wall of the zone. */
export function hourIn(instant: Date, timeZone: string): number {
  const [, , , hour, minute, second] = wallClock(instant, timeZone);
  return hour + minute / 60 + second / 3600;
}

/** The next instant at which a wall of the zone shows the given full hour. */
export function nextAt(hour: number, instant: Date, timeZone: string): Date {
  const today = dayIn(instant, timeZone);
  const candidate = atHour(today, hour, timeZone);
  return candidate > instant ? candidate : atHour({ ...today, day: today.day + 1 }, hour, timeZone);
}

function daysOf(period: Period, today: Day, offset: number): [Day, Day] {
  if (period === "day") return [shift(today, offset), shift(today, offset + 1)];
  if (period === "week") {
    const sinceMonday = (new Date(Date.UTC(today.year, today.month - 1, today.day)).getUTCDay() + 6) % 7;
    return [shift(today, 7 * offset - sinceMonday), shift(today, 7 * (offset + 1) - sinceMonday)];
  }
  return [
    { year: today.year, month: today.month + offset, day: 1 },
    { year: today.year, month: today.month + offset + 1, day: 1 },
  ];
}

function shift(day: Day, days: number): Day {
  return { ...day, day: day.day + days };
}

function startOfDay(day: Day, timeZone: string): Date {
  return atHour(day, 0, timeZone);
}

/** The instant of a wall time. Two rounds settle the offset, also on days of 23 and 25 hours. */
function atHour(day: Day, hour: number, timeZone: string): Date {
  const wallMs = Date.UTC(day.year, day.month - 1, day.day, hour); // days and months out of range roll over
  let instantMs = wallMs;
  for (let round = 0; round < 2; round += 1) {
    instantMs = wallMs - offsetMs(new Date(instantMs), timeZone);
  }
  return new Date(instantMs);
}

function offsetMs(instant: Date, timeZone: string): number {
  const [year, month, day, hour, minute, second] = wallClock(instant, timeZone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant.getTime() / 1000) * 1000;
}

const walls = new Map<string, Intl.DateTimeFormat>();

function wallClock(instant: Date, timeZone: string): [number, number, number, number, number, number] {
  let wall = walls.get(timeZone);
  if (!wall) {
    wall = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    walls.set(timeZone, wall);
  }
  const parts = Object.fromEntries(wall.formatToParts(instant).map((part) => [part.type, Number(part.value)]));
  return [parts["year"]!, parts["month"]!, parts["day"]!, parts["hour"]!, parts["minute"]!, parts["second"]!];
}
