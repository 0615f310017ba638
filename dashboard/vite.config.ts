import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [vue()],
  build: {
    outDir: "../lingyun/page",
    emptyOutDir: true,
    cssCodeSplit: false, // one small file: a lazy part that failed to load once can be asked for again, whole
    chunkSizeWarningLimit: 700, // kB; the chart library is one lazy chunk
  },
  server: {
    // `npm run dev` beside a running `lingyun serve --demo`
    proxy: { "/api": { target: "http://127.0.0.1:8000", changeOrigin: true } },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
