/** The last lines a program wrote, for the sentence that says why it did not start. */

export interface LinesSaid {
  readonly add: (line: string) => void;
  readonly last: (count: number) => string;
}

export function linesSaid(keep: number): LinesSaid {
  const lines: string[] = [];
  return {
    add: (line) => {
      lines.push(line);
      if (lines.length > keep) lines.shift();
    },
    last: (count) => (lines.length === 0 ? 'It said nothing.' : `It said: ${lines.slice(-count).join(' | ')}`),
  };
}
