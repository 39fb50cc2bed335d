import { defineConfig } from 'vitest/config';

/**
 * Unit tests stand beside their source as `*.test.ts` and start nothing.
 * `*.store.test.ts` need PostgreSQL (embedded), `sandbox/` tests need git, `*.e2e.test.ts` need every real part.
 */
const ignored = ['**/node_modules/**', 'dist/**', '.landfall/**'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...ignored, '**/*.store.test.ts', '**/*.e2e.test.ts', 'sandbox/**'],
          testTimeout: 10_000,
          // They start nothing and mock no module: a fresh world for each file would take three times as long.
          isolate: false,
        },
      },
      {
        test: {
          name: 'store',
          include: ['**/*.store.test.ts'],
          exclude: ignored,
          globalSetup: ['test/store/postgres.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'sandbox', include: ['sandbox/**/*.test.ts'], exclude: ignored, testTimeout: 30_000 } },
      {
        test: {
          name: 'e2e',
          include: ['**/*.e2e.test.ts'],
          exclude: ignored,
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
