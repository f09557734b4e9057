import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tests/kit/longest-first.ts';

/** Three projects: `unit` beside the code and without I/O, `integration` against real neighbours, `e2e` with every process. */
export default defineConfig({
  // Of graphql's two builds Node itself takes this one, and no other may be beside it.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    reporters: ['default'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            '{api,core,workers,standalone,simulator,bench}/**/*.test.ts',
            'web/src/**/*.test.{ts,tsx}',
          ],
          exclude: ['**/node_modules/**', '**/generated/**'],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          globalSetup: ['tests/kit/global-setup.ts'],
          pool: 'forks',
          // They wait for servers more than they compute, and what they import is the same everywhere.
          maxWorkers: 3,
          isolate: false,
          testTimeout: 180_000,
          hookTimeout: 240_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          globalSetup: ['tests/kit/shared-platform-setup.ts'],
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
