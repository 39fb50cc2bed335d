/** Cuts a list into GitHub's pages, with its Link header. */

export interface Paging {
  readonly per_page?: number | undefined;
  readonly page?: number | undefined;
}

export interface Cursor {
  readonly per_page?: number | undefined;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly headers: Readonly<Record<string, string>>;
}

const defaultSize = 30;
const maximumSize = 100;

export function pageSize(paging: Pick<Paging, 'per_page'>): number {
  return Math.min(Math.max(paging.per_page ?? defaultSize, 1), maximumSize);
}

function link(url: URL, page: number, relation: string): string {
  const target = new URL(url);
  target.searchParams.set('page', String(page));
  return `<${target.href}>; rel="${relation}"`;
}

export function pageLinks(url: URL, page: number, last: number): Record<string, string> {
  const links = [
    ...(page > 1 ? [link(url, page - 1, 'prev')] : []),
    ...(page < last ? [link(url, page + 1, 'next'), link(url, last, 'last')] : []),
    ...(page > 1 ? [link(url, 1, 'first')] : []),
  ];
  return links.length === 0 ? {} : { link: links.join(', ') };
}

export function paginate<T>(list: readonly T[], paging: Paging, url: URL): Page<T> {
  const size = pageSize(paging);
  const page = Math.max(paging.page ?? 1, 1);
  const items = list.slice((page - 1) * size, page * size);
  return { items, headers: pageLinks(url, page, Math.max(1, Math.ceil(list.length / size))) };
}

/** Pages by the id of an item; `before` and `after` are that id. */
export function paginateByCursor<T extends { readonly id: number }>(
  list: readonly T[],
  cursor: Cursor,
  url: URL,
): Page<T> {
  const size = pageSize(cursor);
  const start = cursor.after === undefined ? 0 : list.findIndex(({ id }) => String(id) === cursor.after) + 1;
  const end = cursor.before === undefined ? -1 : list.findIndex(({ id }) => String(id) === cursor.before);
  const from = end === -1 ? start : Math.max(0, end - size);
  const items = end === -1 ? list.slice(from, from + size) : list.slice(from, end);
  const last = items.at(-1);
  if (last === undefined || from + items.length >= list.length) return { items, headers: {} };
  return { items, headers: { link: cursorLink(url, String(last.id)) } };
}

/** The link to what follows `cursor`; deliveries call the parameter `cursor`, activities call it `after`. */
function cursorLink(url: URL, after: string): string {
  const target = new URL(url);
  target.searchParams.delete('before');
  target.searchParams.set('after', after);
  return `<${target.href}>; rel="next"`;
}
