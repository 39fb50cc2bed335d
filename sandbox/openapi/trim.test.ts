import { describe, expect, it } from 'vitest';
import { answerSchema, referencedComponents, requestSchema } from './trim.ts';

describe('an answer’s schema', () => {
  it('keeps what validates and drops the prose, but not a property called description', () => {
    const schema = {
      type: 'object',
      description: 'prose',
      properties: { description: { type: 'string', description: 'prose', example: 'x', maxLength: 3 } },
      required: ['description'],
    };
    expect(answerSchema(schema)).toEqual({
      type: 'object',
      properties: { description: { type: 'string', maxLength: 3 } },
      required: ['description'],
    });
  });

  it('turns nullable into null, in types, enumerations and compositions', () => {
    expect(answerSchema({ type: 'string', nullable: true })).toEqual({ type: ['string', 'null'] });
    expect(answerSchema({ type: 'string', nullable: true, enum: ['a'] })).toEqual({
      type: ['string', 'null'],
      enum: ['a', null],
    });
    expect(answerSchema({ nullable: true, anyOf: [{ type: 'string' }] })).toEqual({
      anyOf: [{ anyOf: [{ type: 'string' }] }, { type: 'null' }],
    });
  });

  it('names components by their bare name', () => {
    const schema = answerSchema({ type: 'array', items: { $ref: '#/components/schemas/thing' } });
    expect(schema).toEqual({ type: 'array', items: { $ref: 'thing' } });
    expect([...referencedComponents(schema)]).toEqual(['thing']);
  });
});

describe('a request’s schema', () => {
  it('closes every object, through references, arrays and branches', () => {
    const components = { inner: { type: 'object', properties: { a: { type: 'string' } } } };
    const schema = {
      type: 'object',
      properties: { list: { type: 'array', items: { $ref: '#/components/schemas/inner' } } },
      oneOf: [{ properties: { b: { type: 'string' } }, required: ['b'], additionalProperties: true }],
    };
    expect(requestSchema(schema, components)).toEqual({
      type: 'object',
      properties: {
        list: {
          type: 'array',
          items: { type: 'object', properties: { a: { type: 'string' } }, unevaluatedProperties: false },
        },
      },
      anyOf: [{ properties: { b: { type: 'string' } }, required: ['b'] }],
      unevaluatedProperties: false,
    });
  });

  it('leaves open what GitHub leaves open', () => {
    const free = { type: 'object', additionalProperties: true };
    expect(requestSchema(free, {})).toEqual({ type: 'object', additionalProperties: true });
  });

  it('refuses to guess at a component that does not exist', () => {
    expect(() => requestSchema({ $ref: '#/components/schemas/none' }, {})).toThrow(/no component/);
  });
});
