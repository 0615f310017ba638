/** The formatters of the home that is shown, in the language in force. */

import { computed, type ComputedRef } from "vue";
import { useI18n } from "vue-i18n";

import { makeFormats, type Formats } from "../format";

/** Tags that browsers format by; the scripts of Chinese are not enough for all of them. */
const LOCALES: Record<string, string> = { "zh-Hans": "zh-Hans-CN", "zh-Hant": "zh-Hant-TW" };

export function useFormats(place: () => { time_zone: string; currency: string } | null): ComputedRef<Formats> {
  const { locale } = useI18n();
  return computed(() => {
    const home = place();
    return makeFormats({
      locale: LOCALES[locale.value] ?? locale.value,
      timeZone: home?.time_zone ?? "UTC",
      currency: home?.currency ?? "EUR",
    });
  });
}
