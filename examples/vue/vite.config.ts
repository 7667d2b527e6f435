// The bridge is reached by the page's own origin; while developing, through Vite.

import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

const bridge = process.env.BRIDGE ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [vue()],
  server: { proxy: { "/eventbus": { target: bridge, ws: true } } },
});
