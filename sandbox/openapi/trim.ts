/** Turns GitHub's OpenAPI 3.0 schemas into the JSON Schema that the sandbox validates with, without their prose. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = Readonly<Record<string, Json>>;

const componentPrefix = '#/components/schemas/';

/** Keywords that validate; the rest of a description is prose or rendering hints. */
const keptKeywords = new Set([
  'type',
  'enum',
  'required',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'uniqueItems',
]);

/** Formats with a meaning of their own. Of the others, addresses of bots are no valid `email`, and the rest are labels. */
const keptFormats: ReadonlySet<Json> = new Set(['uri', 'uri-template', 'date-time', 'date']);

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The component schemas that `schema` names, by name. */
export function referencedComponents(schema: Json, found = new Set<string>()): Set<string> {
  if (Array.isArray(schema)) for (const item of schema as readonly Json[]) referencedComponents(item, found);
  else if (isObject(schema)) {
    const ref = schema['$ref'];
    if (typeof ref === 'string') found.add(ref);
    for (const value of Object.values(schema)) referencedComponents(value, found);
  }
  return found;
}

/** A schema of an answer: references stay references, by the component's bare name. */
export function answerSchema(schema: Json): Json {
  if (!isObject(schema)) return schema;
  if (typeof schema['$ref'] === 'string') return { $ref: schema['$ref'].replace(componentPrefix, '') };
  return withNull(schema, convert(schema, answerSchema));
}

/**
 * A schema of a request body: references are inlined, and a property that GitHub's description does not name is refused
 * wherever the description does not itself allow more.
 */
export function requestSchema(schema: Json, components: JsonObject): Json {
  return closed(schema, components);
}

function closed(schema: Json, components: JsonObject): Json {
  const resolved = inline(schema, components);
  if (!isObject(resolved)) return resolved;
  const isObjectLike = isObject(resolved['properties']);
  const converted = convert(resolved, (child, place) =>
    place === 'branch' && isObjectLike ? open(child, components) : closed(child, components),
  );
  const allowsMore = resolved['additionalProperties'] !== undefined && resolved['additionalProperties'] !== false;
  return withNull(resolved, isObjectLike && !allowsMore ? { ...converted, unevaluatedProperties: false } : converted);
}

/** A branch of a composition: it constrains, and its parent decides which properties exist. */
function open(schema: Json, components: JsonObject): Json {
  const resolved = inline(schema, components);
  if (!isObject(resolved)) return resolved;
  const { additionalProperties: _, ...rest } = resolved;
  return withNull(
    rest,
    convert(rest, (child, place) => (place === 'branch' ? open(child, components) : closed(child, components))),
  );
}

function inline(schema: Json, components: JsonObject): Json {
  if (!isObject(schema) || typeof schema['$ref'] !== 'string') return schema;
  const component = components[schema['$ref'].replace(componentPrefix, '')];
  if (component === undefined) throw new Error(`The description names no component ${schema['$ref']}.`);
  return component;
}

type Place = 'child' | 'branch';

function convert(schema: JsonObject, child: (schema: Json, place: Place) => Json): JsonObject {
  const converted: Record<string, Json> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (keptKeywords.has(keyword) || (keyword === 'format' && keptFormats.has(value))) converted[keyword] = value;
    else if (keyword === 'properties' && isObject(value))
      converted[keyword] = Object.fromEntries(
        Object.entries(value).map(([name, each]) => [name, child(each, 'child')]),
      );
    else if (keyword === 'items' || keyword === 'additionalProperties') converted[keyword] = child(value, 'child');
    else if (keyword === 'not') converted[keyword] = child(value, 'branch');
    else if (keyword === 'allOf' || keyword === 'anyOf' || keyword === 'oneOf')
      // Branches of the description overlap, so exactly-one would refuse what GitHub sends.
      converted[keyword === 'oneOf' ? 'anyOf' : keyword] = (value as readonly Json[]).map((each) =>
        child(each, 'branch'),
      );
  }
  return converted;
}

function withNull(source: JsonObject, converted: JsonObject): Json {
  if (source['nullable'] !== true) return converted;
  const composed = converted['anyOf'] ?? converted['allOf'];
  if (typeof converted['type'] !== 'string' || composed !== undefined) return { anyOf: [converted, { type: 'null' }] };
  const choices = converted['enum'] as readonly Json[] | undefined;
  return {
    ...converted,
    type: [converted['type'], 'null'],
    ...(choices === undefined || choices.includes(null) ? {} : { enum: [...choices, null] }),
  };
}
