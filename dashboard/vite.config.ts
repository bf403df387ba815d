import react from "@vitejs/plugin-react";
import { defaultClientConditions, defineConfig } from "vite";

// The API serves dist/ under / with a strict Content-Security-Policy: no inline script or style, no data: URL.
// Schemas are for the server: a page that uses a constant next to one does not carry the validator.
const treeshake = {
  manualPureFunctions: ["Type"],
  moduleSideEffects: (id: string): boolean => !id.includes("/node_modules/typebox/"),
};

export default defineConfig({
  plugins: [react()],
  resolve: { conditions: ["huishi-source", ...defaultClientConditions] },
  worker: { format: "es", rolldownOptions: { treeshake } },
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { treeshake },
  },
});
