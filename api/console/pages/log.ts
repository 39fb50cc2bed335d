/** Lines of a log, encoded, with their colours as names of a closed list. */
import { parseAnsi, type Segment } from '../ansi.ts';
import { html, type Html } from '../html.ts';

function segment({ text, styles }: Segment): Html | string {
  return styles.length === 0 ? text : html`<span class="${styles.join(' ')}">${text}</span>`;
}

export function logLine({ text, error }: { text: string; error: boolean }): Html {
  return html`<span class="${error ? 'line stderr' : 'line'}">${parseAnsi(text).map(segment)}</span>`;
}

/** Numbered lines that follow line `from - 1`; where the numbers jump, a note says how many lines are missing. */
export function logLines(lines: readonly { offset: number; text: string; error: boolean }[], from: number): Html {
  let expected = from;
  return html`${lines.map((line) => {
    const missing = line.offset - expected;
    expected = line.offset + 1;
    return [missing > 0 ? droppedLines(missing) : null, logLine(line)];
  })}`;
}

function droppedLines(count: number): Html {
  const what = count === 1 ? '1 line is' : `${count} lines are`;
  return html`<span class="line dropped">… ${what} left out here …</span>`;
}
