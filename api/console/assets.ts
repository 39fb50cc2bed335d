/** The files that pages load: read once, addressed by their digest, so that browsers may keep them for ever. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface Asset {
  content: Buffer;
  type: string;
  etag: string;
}

const types = {
  'console.css': 'text/css; charset=utf-8',
  'console.js': 'text/javascript; charset=utf-8',
  'favicon.svg': 'image/svg+xml',
} as const;

export type AssetName = keyof typeof types;

const assets = new Map<string, Asset>(
  Object.entries(types).map(([name, type]) => {
    const content = readFileSync(new URL(`assets/${name}`, import.meta.url));
    return [name, { content, type, etag: createHash('sha256').update(content).digest('hex').slice(0, 16) }];
  }),
);

export function findAsset(name: string): Asset | null {
  return assets.get(name) ?? null;
}

export function assetUrl(name: AssetName): string {
  return `/console/${name}?v=${assets.get(name)?.etag ?? ''}`;
}
