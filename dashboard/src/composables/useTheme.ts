/** Colours for what is drawn by a library that cannot read CSS variables; follows the system's dark mode. */

import { computed, onScopeDispose, ref } from "vue";

const SERIES_LIGHT = ["#1b7578", "#6fb7b3", "#3f74b5", "#9cc0e6", "#c98f4e", "#e8c893", "#8f80b8", "#b5c0c2"];
const SERIES_DARK = ["#4fb9b6", "#2b7377", "#6ea3e0", "#36598a", "#d9a066", "#8a6a3d", "#a596d6", "#55656a"];

export function useTheme() {
  const dark = matches("(prefers-color-scheme: dark)");
  const still = matches("(prefers-reduced-motion: reduce)");
  return computed(() => ({
    series: dark.value ? SERIES_DARK : SERIES_LIGHT,
    still: still.value,
    ink: dark.value ? "#e9efef" : "#172124",
    ink3: dark.value ? "#8b9a9e" : "#647378",
    line: dark.value ? "#253134" : "#e1e7e5",
    surface: dark.value ? "#1b2527" : "#ffffff",
  }));
}

function matches(query: string) {
  const list = matchMedia(query);
  const state = ref(list.matches);
  const update = () => (state.value = list.matches);
  list.addEventListener("change", update);
  onScopeDispose(() => list.removeEventListener("change", update));
  return state;
}
