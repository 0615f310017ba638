import { describe, expect, test } from "vitest";

import { makeFormats } from "./format";

const english = makeFormats({ locale: "en", timeZone: "Asia/Shanghai", currency: "CNY" });
const chinese = makeFormats({ locale: "zh-Hans-CN", timeZone: "Asia/Shanghai", currency: "CNY" });
const german = makeFormats({ locale: "de-DE", timeZone: "Europe/Berlin", currency: "EUR" });

describe("power and energy", () => {
  test("watts stay watts up to ten kilowatts", () => {
    expect(english.power(1234.6)).toEqual({ value: "1,235", unit: "W" });
    expect(english.power(12_340)).toEqual({ value: "12.3", unit: "kW" });
  });

  test("small energies keep two decimals, large ones fewer", () => {
    expect(english.energy(0.456).value).toBe("0.46");
    expect(english.energy(14.24).value).toBe("14.2");
    expect(english.energy(1234.5).value).toBe("1,235");
  });

  test("what is not known is a dash, and zero is not", () => {
    expect(english.power(null).value).toBe("–");
    expect(english.power(0).value).toBe("0");
    expect(english.temperature(undefined)).toBe("–");
    expect(english.money(null)).toBe("–");
  });

  test("figure and unit do not part at the end of a line", () => {
    expect(english.setpoint(26)).toBe("26\u00a0°C");
    expect(english.setpoint(26.5)).toBe("26.5\u00a0°C");
    expect(english.powerText(540)).toBe("540\u00a0W");
  });
});

describe("money", () => {
  test("is written with the home's currency in the reader's way", () => {
    expect(english.money("4.530000")).toBe("¥4.53");
    expect(chinese.money("4.530000")).toBe("¥4.53");
    expect(german.money("1234.5")).toMatch(/^1\.234,50\s€$/);
  });

  test("is never rounded through a float", () => {
    expect(english.money("9007199254740993.25")).toBe("¥9,007,199,254,740,993.25");
  });
});

describe("time", () => {
  test("is the home's, not the browser's", () => {
    expect(english.time("2025-07-16T08:42:00Z")).toBe("16:42");
    expect(german.time("2025-07-16T08:42:00Z")).toBe("10:42");
    expect(english.time("2025-07-16T16:00:00Z")).toBe("00:00");
  });

  test("a moment of another day names the day", () => {
    const now = "2025-07-16T08:42:00Z";
    expect(english.moment("2025-07-16T10:00:00Z", now)).toBe("18:00");
    expect(english.moment("2025-07-16T23:00:00Z", now)).toContain("Jul 17");
  });

  test("an age is told in the largest whole unit", () => {
    const now = "2025-07-16T08:42:00Z";
    expect(english.age("2025-07-16T08:41:40Z", now)).toBe("now");
    expect(english.age("2025-07-16T08:36:00Z", now)).toBe("6 minutes ago");
    expect(english.age("2025-07-16T05:00:00Z", now)).toBe("3 hours ago");
    expect(chinese.age("2025-07-16T08:36:00Z", now)).toBe("6分钟前");
  });
});
