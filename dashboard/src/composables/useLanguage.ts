/** The language in force, told to the document and to the API before anything is asked again. */

import { computed } from "vue";
import { useI18n } from "vue-i18n";

import { speak } from "../api/client";
import { rememberLanguage, type Language } from "../i18n";

export function announceLanguage(language: Language): void {
  document.documentElement.lang = language;
  speak(language);
}

export function useLanguage() {
  const { locale } = useI18n({ useScope: "global" });

  function choose(next: Language): void {
    announceLanguage(next);
    rememberLanguage(next);
    locale.value = next;
  }

  return { language: computed(() => locale.value as Language), choose };
}
