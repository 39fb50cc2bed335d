/** The single values of a configuration file. */
import { durationMs, cpuMillis, sizeBytes } from './units.ts';
import { Problem, scalar, type Field } from './field.ts';

export function text(description: string, { maxLength = 1_000 } = {}): Field<string> {
  return scalar({ type: 'string', description, maxLength }, 'text', ({ value }) =>
    typeof value === 'string' && value.length <= maxLength ? value : new Problem(),
  );
}

export function integer(description: string, { min, max }: { min: number; max: number }): Field<number> {
  const schema = { type: 'integer', description, minimum: min, maximum: max };
  return scalar(schema, `a whole number from ${min} to ${max}`, ({ value }) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : new Problem(),
  );
}

export function yes(description: string): Field<true> {
  return scalar({ const: true, description }, 'true', ({ value }) => (value === true ? true : new Problem()));
}

export function duration(description: string, { min, max }: { min: string; max: string }): Field<number> {
  const [minMs, maxMs] = [durationMs(min) ?? 0, durationMs(max) ?? 0];
  const schema = {
    type: 'string',
    description,
    pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$',
    examples: ['5s', '1m30s'],
  };
  return scalar(schema, `a duration from ${min} to ${max}, such as 5s or 1m30s`, ({ value }) => {
    const ms = typeof value === 'string' ? durationMs(value) : null;
    return ms !== null && ms >= minMs && ms <= maxMs ? ms : new Problem();
  });
}

export function size(description: string, { min }: { min: string }): Field<number> {
  const minBytes = sizeBytes(min) ?? 0;
  const schema = { type: 'string', description, pattern: '^[0-9]+(\\.[0-9]+)?[KMGT]i?$', examples: ['256Mi'] };
  return scalar(schema, `a size of at least ${min}, such as 256Mi`, ({ value }) => {
    const bytes = typeof value === 'string' ? sizeBytes(value) : null;
    return bytes !== null && bytes >= minBytes && Number.isSafeInteger(bytes) ? bytes : new Problem();
  });
}

/** In thousandths of a core. */
export function cores(description: string): Field<number> {
  const schema = { type: ['number', 'string'], description, minimum: 0.01, pattern: '^[0-9]+(\\.[0-9]+)?m?$' };
  return scalar(schema, 'a number of cores from 0.01 to 1024, such as 0.5', ({ value }) => {
    const millis = typeof value === 'number' || typeof value === 'string' ? cpuMillis(String(value)) : null;
    return millis !== null && millis >= 10 && millis <= 1_024_000 ? millis : new Problem();
  });
}

/** A variable's value: text, or a number or boolean as it is written. */
export function variable(description: string): Field<string> {
  const schema = { type: ['string', 'number', 'boolean'], description };
  return scalar(schema, 'a text, a number or a boolean', ({ value, source }) => {
    const read = typeof value === 'string' ? value : (source ?? String(value));
    if (read.includes('\0')) return new Problem('a variable cannot hold the character NUL');
    return read.length <= 32_768 ? read : new Problem('is longer than 32768 characters');
  });
}

/** A path inside the repository, relative to its root. */
export function repositoryPath(description: string): Field<string> {
  return scalar({ type: 'string', description, maxLength: 1_000 }, 'a path', ({ value }) => {
    if (typeof value !== 'string' || value === '' || value.length > 1_000) return new Problem();
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    if (/[\u0000-\u001f\u007f\\]/.test(value)) return new Problem('a path holds no control characters or backslashes');
    if (value.startsWith('/')) return new Problem('give a path relative to the root of the repository');
    const parts = value.split('/').filter((part) => part !== '' && part !== '.');
    return parts.includes('..') ? new Problem('the path leaves the repository') : parts.join('/') || '.';
  });
}

export function webAddress(description: string): Field<string> {
  return scalar(
    { type: 'string', format: 'uri', description },
    'an address such as https://example.com',
    ({ value }) =>
      typeof value === 'string' && value.length <= 1_000 && /^https?:\/\/[^\s]+$/.test(value) && URL.canParse(value)
        ? value
        : new Problem(),
  );
}

export function branch(description: string): Field<string> {
  return scalar({ type: 'string', description, maxLength: 250 }, 'the name of a branch', ({ value }) => {
    if (typeof value !== 'string' || value === '' || value.length > 250) return new Problem();
    if (value.startsWith('refs/')) return new Problem('give the name of the branch alone, without refs/heads/');
    if (/[*?[]/.test(value)) return new Problem('patterns are not taken; give the exact name of one branch');
    // What git refuses in a ref (git-check-ref-format).
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    return /[\u0000-\u0020\u007f~^:\\]|\.\.|@\{|^-|\/\/|^\/|\/$|\.$|\.lock$/.test(value) ? new Problem() : value;
  });
}
