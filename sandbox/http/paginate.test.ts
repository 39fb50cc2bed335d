import { describe, expect, it } from 'vitest';
import { paginate, paginateByCursor } from './paginate.ts';

const url = new URL('http://sandbox.test/api/v3/things?state=open');
const list = Array.from({ length: 7 }, (_, at) => ({ id: at + 1 }));
const ids = (items: readonly { id: number }[]) => items.map(({ id }) => id);

describe('pages by number', () => {
  it('link to their neighbours and keep the query', () => {
    const { items, headers } = paginate(list, { per_page: 3, page: 2 }, url);
    expect(ids(items)).toEqual([4, 5, 6]);
    expect(headers['link']).toBe(
      [
        '<http://sandbox.test/api/v3/things?state=open&page=1>; rel="prev"',
        '<http://sandbox.test/api/v3/things?state=open&page=3>; rel="next"',
        '<http://sandbox.test/api/v3/things?state=open&page=3>; rel="last"',
        '<http://sandbox.test/api/v3/things?state=open&page=1>; rel="first"',
      ].join(', '),
    );
  });

  it('have at most 100 items, 30 by default, and no links when there is one page', () => {
    const many = Array.from({ length: 150 }, (_, at) => ({ id: at }));
    expect(paginate(many, { per_page: 1000 }, url).items).toHaveLength(100);
    expect(paginate(many, {}, url).items).toHaveLength(30);
    expect(paginate(list, {}, url).headers).toEqual({});
    expect(paginate(list, { page: 9 }, url).items).toEqual([]);
  });
});

it('pages by cursor reach every item once', () => {
  const seen: number[] = [];
  let after: string | undefined;
  for (let turn = 0; turn < 10; turn += 1) {
    const { items, headers } = paginateByCursor(list, { per_page: 3, after }, url);
    seen.push(...ids(items));
    after = /after=(\d+)/.exec(headers['link'] ?? '')?.[1];
    if (after === undefined) break;
  }
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(ids(paginateByCursor(list, { per_page: 2, before: '4' }, url).items)).toEqual([2, 3]);
});
