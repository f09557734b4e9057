import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const platform = process.env['FLEETGRAPH_URL'] ?? 'http://127.0.0.1:8080';

const generated = fileURLToPath(new URL('src/generated/graphql.ts', import.meta.url));
const call = /\bgraphql\(\s*`\s*(query|mutation|subscription|fragment)\s+(\w+)[^`]*`,?\s*\)/g;
const imported = /^import \{ graphql \} from '[./]+generated\/index\.ts';$/m;

/** The document of this name as JSON, from what the code generator wrote. */
function documentText(source: string, name: string): string {
  const [, text] = new RegExp(`^export const ${name} = (\\{.*\\}) as unknown as `, 'm').exec(source) ?? [];
  if (text === undefined) throw new Error(`${generated} has no ${name}: run npm run codegen`);
  return text;
}

/** Puts the document in the place of each `graphql(…)`, so that a page brings along its own and no other. */
const inlineDocuments = (): Plugin => ({
  name: 'inline-documents',
  enforce: 'pre',
  transform(code, id) {
    if (!/\.tsx?$/.test(id) || !imported.test(code)) return undefined;
    this.addWatchFile(generated);
    const source = readFileSync(generated, 'utf8');
    const inlined = code
      .replace(call, (_call, kind: string, name: string) => {
        const constant = name + (kind === 'fragment' ? 'FragmentDoc' : 'Document');
        return `(${documentText(source, constant)})`;
      })
      .replace(imported, '');
    return { code: inlined, map: null };
  },
});

/** Builds `web/dist`. `vite --config web/vite.config.ts` serves the sources and forwards the rest to FLEETGRAPH_URL. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [inlineDocuments(), react(), tailwindcss()],
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
