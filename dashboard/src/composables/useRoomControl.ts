/** What a person can do in a room: a change wins at once and holds for a chosen time. */

import { onScopeDispose, ref } from "vue";
import { useI18n } from "vue-i18n";

import { api, type ApiError, type Control, type Room, type Target } from "../api/client";
import { nextAt } from "../zone";

export const HOLDS = ["h1", "h2", "tonight"] as const;
export type Hold = (typeof HOLDS)[number];

const HOUR_MS = 3_600_000;
const MORNING_HOUR = 7;
/** Several taps become one command: every write to a unit may beep. */
const GATHER_TAPS_MS = 700;

/** When a hold that begins now ends: after hours, or at seven in the morning. */
export function holdEnd(hold: Hold, now: Date, timeZone: string): Date {
  if (hold === "tonight") return nextAt(MORNING_HOUR, now, timeZone);
  return new Date(now.getTime() + (hold === "h1" ? 1 : 2) * HOUR_MS);
}

/** The setpoint some steps on from another, within what the unit can do. */
export function steppedSetpoint(fromC: number, steps: number, capabilities: Record<string, unknown> | null): number {
  const read = (name: string, fallback: number) => {
    const value = capabilities?.[name];
    return typeof value === "number" ? value : fallback;
  };
  const stepK = read("setpoint_step_k", 1);
  const aimedC = Math.round(fromC / stepK) * stepK + steps * stepK;
  return Math.min(read("setpoint_max_c", 30), Math.max(read("setpoint_min_c", 16), aimedC));
}

export function useRoomControl(room: () => Room, at: () => { now: Date; timeZone: string }, changed: () => void) {
  const { t } = useI18n();
  const pendingSetpointC = ref<number | null>(null);
  const sending = ref(false);
  const failure = ref<string | null>(null);
  const hold = ref<Hold>("h2");
  let gathering: ReturnType<typeof setTimeout> | null = null;

  async function act(what: () => Promise<unknown>): Promise<void> {
    sending.value = true;
    failure.value = null;
    try {
      await what();
      changed();
    } catch (error) {
      const { code, message } = error as ApiError;
      failure.value = code === "network" ? t("error.unreachable") : message;
    } finally {
      sending.value = false;
      if (gathering === null) pendingSetpointC.value = null;
    }
  }

  function put(target: Target): Promise<void> {
    const { now, timeZone } = at();
    return act(() => api.override(room().id, target, holdEnd(hold.value, now, timeZone)));
  }

  /** One step cooler (-1) or warmer (1). */
  function nudge(steps: -1 | 1): void {
    const unit = room().air_conditioner;
    const fromC = pendingSetpointC.value ?? room().override?.target.setpoint_c ?? unit?.setpoint_c;
    if (!unit || fromC == null) return;
    pendingSetpointC.value = steppedSetpoint(fromC, steps, unit.capabilities);
    if (gathering !== null) clearTimeout(gathering);
    gathering = setTimeout(() => {
      gathering = null;
      void put({ on: true, setpoint_c: pendingSetpointC.value });
    }, GATHER_TAPS_MS);
  }

  /** Choose how long changes hold; a change in force is held for that long from now. */
  function holdFor(choice: Hold): void {
    hold.value = choice;
    const inForce = room().override;
    if (inForce) void put(inForce.target);
  }

  onScopeDispose(() => {
    if (gathering !== null) clearTimeout(gathering);
  });

  return {
    pendingSetpointC,
    sending,
    failure,
    hold,
    nudge,
    holdFor,
    switchTo: (on: boolean) => put({ on }),
    release: () => act(() => api.endOverride(room().id)),
    setControl: (control: Control) => act(() => api.setControl(room().id, control)),
  };
}
