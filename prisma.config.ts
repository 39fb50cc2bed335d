/** Where Prisma's own commands find schema and migrations. The server applies migrations by itself (prisma/migrate.ts). */
import { defineConfig } from 'prisma/config';

export default defineConfig({ schema: 'prisma/schema.prisma', migrations: { path: 'prisma/migrations' } });
