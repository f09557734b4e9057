import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const platform = process.env['FLEETGRAPH_URL'] ?? 'http://127.0.0.1:8080';

const documents = fileURLToPath(new URL('src/generated/graphql.ts', import.meta.url));
const document = /\bgraphql\(\s*`\s*(query|mutation|subscription|fragment)\s+(\w+)[^`]*`,?\s*\)/g;

/** Replaces each `graphql(…)` by the document it stands for, so that the texts of all of them need not come along. */
const namedDocuments = (): Plugin => ({
  name: 'named-documents',
  enforce: 'pre',
  transform(code, id) {
    if (!/\.tsx?$/.test(id) || id.includes('/generated/')) return undefined;
    const names = new Set<string>();
    const named = code.replace(document, (_call, kind: string, name: string) => {
      const constant = name + (kind === 'fragment' ? 'FragmentDoc' : 'Document');
      names.add(constant);
      return constant;
    });
    if (names.size === 0) return undefined;
    return {
      code: `import { ${[...names].join(', ')} } from ${JSON.stringify(documents)};\n${named}`,
      map: null,
    };
  },
});

/** Builds `web/dist`. `vite --config web/vite.config.ts` serves the sources and forwards the rest to FLEETGRAPH_URL. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [namedDocuments(), react(), tailwindcss()],
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
