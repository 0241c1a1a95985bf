/// <reference types="vitest/config" />
import { defineConfig } from "vite";

// The two pages are Jinja templates; the server fills them in. Their addresses are relative, see <base>.
export default defineConfig({
  base: "./",
  publicDir: false,
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: ["index.html", "auth.html"] },
  },
  test: { include: ["src/**/*.test.ts"], css: true },
});
