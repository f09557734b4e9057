import type { CodegenConfig } from '@graphql-codegen/cli';

/** Types the console's documents against the committed API contract. Output is generated, never committed. */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: ['web/src/**/*.{ts,tsx}', '!web/src/generated/**'],
  ignoreNoDocuments: false,
  generates: {
    'web/src/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        enumType: 'string-literal',
        avoidOptionals: false,
        strictScalars: true,
        importExtension: '.ts',
        emitLegacyCommonJSImports: false,
        scalars: { ID: 'string', Cursor: 'string', DateTime: 'string', JSON: 'unknown' },
      },
    },
  },
};

export default config;
