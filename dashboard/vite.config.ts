import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [vue()],
  build: {
    outDir: "../lingyun/page",
    emptyOutDir: true,
    chunkSizeWarningLimit: 700, // kB; the chart library is one lazy chunk
  },
  server: {
    // `npm run dev` beside a running `lingyun serve --demo`
    proxy: { "/api": { target: "http://127.0.0.1:8000", changeOrigin: true } },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
