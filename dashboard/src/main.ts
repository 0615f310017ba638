import { createApp } from "vue";

import App from "./App.vue";
import { announceLanguage } from "./composables/useLanguage";
import { makeI18n, type Language } from "./i18n";
import { makeRouter } from "./router";
import "./styles/base.css";

const i18n = makeI18n();
announceLanguage(i18n.global.locale.value as Language);
createApp(App).use(i18n).use(makeRouter()).mount("#app");
