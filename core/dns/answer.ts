/** What is answered to one question. `.internal` is this server's: nothing below it is ever asked of anybody else (P16). */
import type { Names, NameView } from '../contract/names.ts';
import { zoneName } from './views.ts';

export type Question = {
  /** As it was asked, in whatever case. */
  name: string;
  /** `A`, `AAAA`, … */
  type: string;
};

export type Answer =
  /** Not below `.internal`. */
  | { kind: 'forward' }
  /** In the order in which they are to be told: round robin. */
  | { kind: 'addresses'; addresses: string[] }
  /** The name is known and has nothing of this type. */
  | { kind: 'no_data' }
  | { kind: 'no_name' };

/** @param turn Counts the questions: moves the address that comes first. */
export function answer(
  names: Names,
  { asker, question, turn }: { asker: string; question: Question; turn: number },
): Answer {
  const name = question.name.toLowerCase().replace(/\.$/, '');
  if (name !== zoneName && !name.endsWith(`.${zoneName}`)) return { kind: 'forward' };
  const addresses = name === zoneName ? [] : lookUp(names, asker, name);
  if (addresses === null) return { kind: 'no_name' };
  if (addresses.length === 0 || (question.type !== 'A' && question.type !== 'ANY')) return { kind: 'no_data' };
  const first = turn % addresses.length;
  return { kind: 'addresses', addresses: [...addresses.slice(first), ...addresses.slice(0, first)] };
}

function lookUp({ views }: Names, asker: string, name: string): string[] | null {
  const view = views.find(({ askers }) => askers.includes(asker));
  if (view !== undefined)
    return Object.hasOwn(view.names, name) ? (view.names[name] ?? null) : namesBelow([view], name);
  const known = views.filter(({ names }) => Object.hasOwn(names, name)).map(({ names }) => names[name] ?? []);
  const [first] = known;
  // The node itself asks: a name that means several things in several projects means nothing here.
  const clear = first !== undefined && known.every((addresses) => addresses.join(' ') === first.join(' '));
  return clear ? first : namesBelow(views, name);
}

/** `production.internal` has nothing itself, and yet it is there: `web.production.internal` is below it (RFC 8020). */
function namesBelow(views: readonly NameView[], name: string): string[] | null {
  return views.some(({ names }) => Object.keys(names).some((known) => known.endsWith(`.${name}`))) ? [] : null;
}
