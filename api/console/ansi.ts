/** Reads terminal colours out of a log line, and drops every other control sequence. */

export interface Segment {
  text: string;
  /** Names out of a closed list, for `class`; empty for plain text. */
  styles: string[];
}

const colours = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;

interface Style {
  colour: string | null;
  bold: boolean;
  dim: boolean;
}

const plain: Style = { colour: null, bold: false, dim: false };

/** CSI sequences, OSC sequences up to their end, other escapes, and control characters except the tab. */
const control =
  // eslint-disable-next-line no-control-regex
  /\u001b\[([0-9;:?<=>]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-Z\\^_a-z]?|[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

export function parseAnsi(line: string): Segment[] {
  const segments: Segment[] = [];
  let style = plain;
  let from = 0;
  const add = (text: string): void => {
    if (text !== '') segments.push({ text, styles: styleNames(style) });
  };
  for (const match of line.matchAll(control)) {
    add(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === 'm') style = restyle(style, match[1] ?? '');
  }
  add(line.slice(from));
  return segments;
}

function restyle(style: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map(Number);
  // Colours by number or by red, green and blue: shown as plain text.
  if (codes[0] === 38 || codes[0] === 48) return { ...style, colour: codes[0] === 38 ? null : style.colour };
  return codes.reduce(applyCode, style);
}

function applyCode(style: Style, code: number): Style {
  if (code === 0) return plain;
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code === 39) return { ...style, colour: null };
  const colour = colours[code >= 90 ? code - 90 : code - 30];
  return colour === undefined ? style : { ...style, colour };
}

function styleNames({ colour, bold, dim }: Style): string[] {
  return [colour === null ? '' : `ansi-${colour}`, bold ? 'ansi-bold' : '', dim ? 'ansi-dim' : ''].filter(Boolean);
}
