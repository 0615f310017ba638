import { expect, test } from "vitest";

import { holdEnd, steppedSetpoint } from "./useRoomControl";

const NOW = new Date("2025-07-16T08:42:00Z"); // 16:42 in Shanghai

test("a change holds for the chosen hours, or until seven in the morning at home", () => {
  expect(holdEnd("h1", NOW, "Asia/Shanghai").toISOString()).toBe("2025-07-16T09:42:00.000Z");
  expect(holdEnd("h2", NOW, "Asia/Shanghai").toISOString()).toBe("2025-07-16T10:42:00.000Z");
  expect(holdEnd("tonight", NOW, "Asia/Shanghai").toISOString()).toBe("2025-07-16T23:00:00.000Z");
});

test("a step is the unit's own and never leaves its limits", () => {
  const unit = { setpoint_min_c: 17, setpoint_max_c: 30, setpoint_step_k: 0.5 };
  expect(steppedSetpoint(26, -1, unit)).toBe(25.5);
  expect(steppedSetpoint(17, -1, unit)).toBe(17);
  expect(steppedSetpoint(30, 1, unit)).toBe(30);
  expect(steppedSetpoint(26, 1, null)).toBe(27);
});
