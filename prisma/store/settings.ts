/** The control plane's own settings. */
import type { Db } from '../client.ts';

/** The value under this key: the given one when there was none. Of two that ask at once, both get the first's. */
export async function rememberedOnce(db: Db, key: string, value: Uint8Array): Promise<Uint8Array> {
  await db.setting.createMany({ data: [{ key, valueSealed: new Uint8Array(value) }], skipDuplicates: true });
  return (await db.setting.findUniqueOrThrow({ where: { key } })).valueSealed;
}
