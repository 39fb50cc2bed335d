/** Lines of logs for a terminal; where the numbers of a log jump, a line says how many are missing. */
import type { LogPage } from '../../core/contract/resources/log-pages.ts';

type Line = LogPage['lines'][number];

/** @param expected Of each source, the number of the line that comes next; kept from page to page. */
export function terminalLines(lines: readonly Line[], expected: Map<string | null, number>): string[] {
  return lines.flatMap((line) => {
    const { source, offset } = line;
    const from = source === null ? '' : `[${source}] `;
    const missing = offset - (expected.get(source) ?? offset);
    expected.set(source, offset + 1);
    const gap = missing > 0 ? [`${from}… ${missing === 1 ? '1 line is' : `${missing} lines are`} left out here …`] : [];
    return [...gap, `${line.at} ${from}${line.text}`];
  });
}
