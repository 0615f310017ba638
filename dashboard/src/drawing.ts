/** Which appliances draw power now. A plug's own meter goes before what the appliance behind it says of itself. */

import type { Device } from "./api/client";

export interface Drawing {
  key: string;
  name: string;
  powerW: number;
}

/** Below this nothing worth a line is on. */
const LEAST_W = 0.5;

/** One entry for each appliance that draws power, the largest first; the meter of the whole house is left out. */
export function drawing(devices: Device[]): Drawing[] {
  const found = new Map<string, Drawing & { metered: boolean }>();
  for (const device of devices) {
    if (device.power_w == null || device.kind === "meter") continue;
    const key = device.appliance_id == null ? `device ${device.id}` : `appliance ${device.appliance_id}`;
    const metered = device.kind === "plug";
    if (found.get(key)?.metered && !metered) continue;
    found.set(key, { key, name: device.appliance ?? device.name, powerW: device.power_w, metered });
  }
  return [...found.values()].filter((one) => one.powerW >= LEAST_W).sort((a, b) => b.powerW - a.powerW);
}
