import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The page lives below /ui/ of the API, which serves what is built here. */
export default defineConfig({
  base: "/ui/",
  plugins: [react()],
  build: {
    outDir: "../src/sancho/web/static",
    emptyOutDir: true,
    // The Content-Security-Policy lets nothing be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
