import react from "@vitejs/plugin-react";
import { defaultClientConditions, defineConfig } from "vite";

// The API serves dist/ under / with a strict Content-Security-Policy: no inline script or style, no data: URL.
export default defineConfig({
  plugins: [react()],
  resolve: { conditions: ["huishi-source", ...defaultClientConditions] },
  worker: { format: "es" },
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { treeshake: { manualPureFunctions: ["Type"] } },
  },
});
