import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const platform = process.env['FLEETGRAPH_URL'] ?? 'http://127.0.0.1:8080';

/** Builds `web/dist`. `vite --config web/vite.config.ts` serves the sources and forwards the rest to FLEETGRAPH_URL. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react(), tailwindcss()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    sourcemap: false,
    modulePreload: { polyfill: false },
  },
  server: {
    port: 5173,
    proxy: {
      '/graphql': { target: platform, ws: true },
      '/config.json': { target: platform },
    },
  },
});
