import { expect, test } from "vitest";

import type { Device } from "./api/client";
import { drawing } from "./drawing";

function device(id: number, kind: Device["kind"], powerW: number | null, appliance: number | null = null): Device {
  return { id, kind, name: `device ${id}`, power_w: powerW, appliance_id: appliance, appliance: null } as Device;
}

test("an appliance behind a plug is counted once, by the plug", () => {
  const unit = device(1, "air_conditioner", 500, 7);
  const plug = device(2, "plug", 540, 7);
  expect(drawing([unit, plug]).map((one) => one.powerW)).toEqual([540]);
  expect(drawing([plug, unit]).map((one) => one.powerW)).toEqual([540]);
});

test("the largest comes first; what draws nothing, is not known, or meters the house is left out", () => {
  const all = [device(1, "plug", 8), device(2, "plug", 90), device(3, "plug", 0), device(4, "plug", null)];
  expect(drawing([...all, device(5, "meter", 600)]).map((one) => one.name)).toEqual(["device 2", "device 1"]);
});
