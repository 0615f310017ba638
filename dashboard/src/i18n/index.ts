/** Languages of the page: chosen by the browser, changed by a switch, remembered in the browser. */

import { createI18n } from "vue-i18n";

import en from "./en.json";
import zhHans from "./zh-Hans.json";
import zhHant from "./zh-Hant.json";

export const LANGUAGES = { en: "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文" } as const;
export type Language = keyof typeof LANGUAGES;

const STORAGE_KEY = "lingyun.language";
const TRADITIONAL = /^zh(-hant|-tw|-hk|-mo)/i;

/** The first of a browser's languages that the page speaks. */
export function pickLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    if (TRADITIONAL.test(tag)) return "zh-Hant";
    if (/^zh/i.test(tag)) return "zh-Hans";
    if (/^en/i.test(tag)) return "en";
  }
  return "en";
}

export function rememberLanguage(language: Language): void {
  localStorage.setItem(STORAGE_KEY, language);
}

function startLanguage(): Language {
  const remembered = localStorage.getItem(STORAGE_KEY);
  return remembered && remembered in LANGUAGES ? (remembered as Language) : pickLanguage(navigator.languages);
}

export function makeI18n() {
  return createI18n({
    legacy: false,
    locale: startLanguage(),
    fallbackLocale: "en",
    messages: { en, "zh-Hans": zhHans, "zh-Hant": zhHant },
  });
}
