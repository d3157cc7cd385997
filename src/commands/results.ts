import type { Schema } from './args.ts';

/**
 * What the JSON answer of a command looks like, as a schema for whoever reads it from outside, and as the type that `run` has to
 * give: the compiler refuses a schema that says something else.
 */
export type Shape<Value> = {
  readonly schema: Schema;
  /** Never there; it carries the type. */
  readonly takes?: (value: Value) => void;
};

export const aText: Shape<string> = { schema: { type: 'string' } };
export const anInteger: Shape<number> = { schema: { type: 'integer' } };
export const aSwitch: Shape<boolean> = { schema: { type: 'boolean' } };
/** Of RFC 3339, in UTC. */
export const aTime: Shape<string> = { schema: { type: 'string', format: 'date-time' } };

export function aList<Item>(item: Shape<Item>): Shape<readonly Item[]> {
  return { schema: { type: 'array', items: item.schema } };
}

/** The value, or null. */
export function orNull<Value>({ schema }: Shape<Value>): Shape<Value | null> {
  return anyOf<Value | null>({ schema }, { schema: { type: 'null' } });
}

export function anyOf<Value>(...shapes: readonly { readonly schema: Schema }[]): Shape<Value> {
  return { schema: { anyOf: shapes.map(({ schema }) => schema) } };
}

/** By names that are not known before, as those of apps. */
export function aMap<Value>(value: Shape<Value>): Shape<Readonly<Record<string, Value>>> {
  return { schema: { type: 'object', additionalProperties: value.schema } };
}

type Fields = Readonly<Record<string, Shape<never>>>;
type Of<Field> = Field extends Shape<infer Value> ? Value : never;
type Whole<All extends Fields, Some extends Fields> = { readonly [Name in keyof All]: Of<All[Name]> } & {
  readonly [Name in keyof Some]?: Of<Some[Name]>;
};

/** All of these fields, and some of the others. */
export function aRecord<All extends Fields, Some extends Fields = Record<never, never>>(
  all: All,
  some?: Some,
): Shape<Whole<All, Some>> {
  const properties = Object.entries({ ...all, ...some }).map(([name, { schema }]) => [name, schema]);
  return {
    schema: { type: 'object', properties: Object.fromEntries(properties), required: Object.keys(all) },
  };
}
