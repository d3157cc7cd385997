/** The part of JSON Schema (2020-12) that commands use. */
export type JsonSchema = {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly [annotation: string]: unknown;
};

const known = [
  ...['type', 'enum', 'pattern', 'minimum', 'maximum', 'minItems', 'items', 'properties', 'required'],
  ...['additionalProperties', 'default', 'description', 'format', 'anyOf'],
];

/** What a value has against a schema, by place; a keyword that nobody checks here is a fault as well. */
export function faultsOf(value: unknown, schema: JsonSchema, place = '$'): string[] {
  const unknown = Object.keys(schema).filter(keyword => !known.includes(keyword));
  if (unknown.length > 0) return [`${place}: keywords ${unknown.join(', ')} are not checked`];
  if (schema.type !== undefined && !isOf(value, schema.type)) return [`${place}: is no ${schema.type}`];
  const faults: string[] = [];
  const ways = schema.anyOf?.map(each => faultsOf(value, each, place)) ?? [[]];
  if (ways.every(way => way.length > 0)) faults.push(...ways.flat());
  const expectThat = (right: boolean, what: string) => void (right || faults.push(`${place}: ${what}`));
  if (schema.enum) expectThat(schema.enum.includes(value), `is none of ${schema.enum.join(', ')}`);
  if (typeof value === 'string' && schema.pattern !== undefined)
    expectThat(new RegExp(schema.pattern, 'u').test(value), `does not match ${schema.pattern}`);
  if (typeof value === 'number') {
    expectThat(value >= (schema.minimum ?? value), `is below ${schema.minimum}`);
    expectThat(value <= (schema.maximum ?? value), `is above ${schema.maximum}`);
  }
  if (Array.isArray(value)) {
    expectThat(value.length >= (schema.minItems ?? 0), `has fewer than ${schema.minItems}`);
    const { items } = schema;
    if (items) faults.push(...value.flatMap((each, at) => faultsOf(each, items, `${place}[${at}]`)));
  } else if (typeof value === 'object' && value !== null) faults.push(...inside(value, schema, place));
  return faults;
}

function inside(value: object, schema: JsonSchema, place: string): string[] {
  const missing = (schema.required ?? []).filter(name => !Object.hasOwn(value, name));
  return [
    ...missing.map(name => `${place}: ${name} is missing`),
    ...Object.entries(value).flatMap(([name, each]) => {
      const own = schema.properties?.[name] ?? schema.additionalProperties ?? true;
      if (own === true) return [];
      return own === false ? [`${place}: ${name} is not known`] : faultsOf(each, own, `${place}.${name}`);
    }),
  ];
}

function isOf(value: unknown, type: string): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}
