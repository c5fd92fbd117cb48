import { defineConfig } from 'vitest/config';

// Tests open real sockets and start processes of their own: every file gets its own process.
export default defineConfig({
  test: {
    include: ['{src,test,dashboard,tools,bench,fuzz}/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
