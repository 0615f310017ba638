/** Every number, amount of money and time that a person reads, in the home's zone and currency. */

export interface Place {
  locale: string;
  timeZone: string;
  currency: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const KILOWATTS_FROM_W = 10_000;
/** A figure and its unit never part at the end of a line. */
const SPACE = "\u00a0";

/** A figure and its unit apart, so that a page can set them in different sizes. */
export interface Figure {
  value: string;
  unit: string;
}

export type Formats = ReturnType<typeof makeFormats>;

/** Formatters of one home in one language. Unknown values (null) become a dash. */
export function makeFormats(place: Place) {
  const { locale, timeZone } = place;
  const decimals = (digits: number) =>
    new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const whole = decimals(0);
  const one = decimals(1);
  const two = decimals(2);
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
  const signedPercent = new Intl.NumberFormat(locale, {
    style: "percent",
    maximumFractionDigits: 0,
    signDisplay: "exceptZero",
  });
  const clock = new Intl.DateTimeFormat(locale, { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const dayName = new Intl.DateTimeFormat(locale, { timeZone, weekday: "short", day: "numeric", month: "short" });
  const dayOnly = new Intl.DateTimeFormat(locale, { timeZone, day: "numeric", month: "short" });
  const weekday = new Intl.DateTimeFormat(locale, { timeZone, weekday: "short" });
  const monthName = new Intl.DateTimeFormat(locale, { timeZone, month: "long", year: "numeric" });
  const dateTime = new Intl.DateTimeFormat(locale, {
    timeZone,
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const ages = {
    long: new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "long" }),
    short: new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" }),
  };

  function power(powerW: number | null | undefined): Figure {
    if (powerW == null) return { value: "–", unit: "W" };
    return powerW < KILOWATTS_FROM_W
      ? { value: whole.format(powerW), unit: "W" }
      : { value: one.format(powerW / 1000), unit: "kW" };
  }

  function energy(energyKwh: number | null | undefined): Figure {
    if (energyKwh == null) return { value: "–", unit: "kWh" };
    const format = Math.abs(energyKwh) >= 1000 ? whole : Math.abs(energyKwh) >= 10 ? one : two;
    return { value: format.format(energyKwh), unit: "kWh" };
  }

  return {
    power,
    energy,
    powerText: (powerW: number | null | undefined) => join(power(powerW)),
    energyText: (energyKwh: number | null | undefined) => join(energy(energyKwh)),

    /** An exact decimal, as the API gives money; never through a float. */
    money(amount: string | null | undefined, currency: string = place.currency): string {
      if (amount == null) return "–";
      const format = new Intl.NumberFormat(locale, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
      return format.format(amount as Intl.StringNumericLiteral);
    },

    /** A temperature without its scale's letter: °C throughout. */
    temperature: (celsius: number | null | undefined, digits: 0 | 1 = 1): string =>
      celsius == null ? "–" : `${(digits === 0 ? whole : one).format(celsius)}°`,

    /** A setpoint: a half degree is shown where there is one. */
    setpoint: (celsius: number | null | undefined): string =>
      celsius == null ? "–" : `${(Number.isInteger(celsius) ? whole : one).format(celsius)}${SPACE}°C`,

    percent: (ratio: number): string => percent.format(ratio),
    signedPercent: (ratio: number): string => signedPercent.format(ratio),
    number: (value: number): string => (Number.isInteger(value) ? whole : one).format(value),

    time: (instant: string | Date): string => clock.format(new Date(instant)),
    day: (instant: string | Date): string => dayName.format(new Date(instant)),
    date: (instant: string | Date): string => dayOnly.format(new Date(instant)),
    weekday: (instant: string | Date): string => weekday.format(new Date(instant)),
    month: (instant: string | Date): string => monthName.format(new Date(instant)),
    dateTime: (instant: string | Date): string => dateTime.format(new Date(instant)),

    /** The time of day, with the day where it is not `now`'s. */
    moment(instant: string | Date, now: string | Date): string {
      const same = dayOnly.format(new Date(instant)) === dayOnly.format(new Date(now));
      return same ? clock.format(new Date(instant)) : dateTime.format(new Date(instant));
    },

    /** How long before `now` an instant was, in words. */
    age(instant: string | Date, now: string | Date, style: "long" | "short" = "long"): string {
      const relative = ages[style];
      const elapsedMs = new Date(instant).getTime() - new Date(now).getTime();
      const size = Math.abs(elapsedMs);
      if (size < MINUTE_MS) return relative.format(0, "second");
      if (size < HOUR_MS) return relative.format(Math.trunc(elapsedMs / MINUTE_MS), "minute");
      if (size < DAY_MS) return relative.format(Math.trunc(elapsedMs / HOUR_MS), "hour");
      return relative.format(Math.trunc(elapsedMs / DAY_MS), "day");
    },
  };
}

function join(figure: Figure): string {
  return `${figure.value}${SPACE}${figure.unit}`;
}
