import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApi } from '../../src/api/openapi.ts';
import type { Command } from '../../src/commands/define.ts';
import { readInvocation, readWords } from '../../src/commands/grammar.ts';
import { createCoreRegistry } from '../../src/commands/index.ts';
import { splitWords } from '../../src/domain/words.ts';
import { faultsOf, type JsonSchema } from './json-schema.ts';
import { ask, startApi } from './support.ts';

type Parameter = { name: string; in: string; required: boolean; description: string; schema: JsonSchema };
type Media = Readonly<Record<string, { schema?: JsonSchema }>>;
type Operation = {
  operationId: string;
  tags: string[];
  summary: string;
  description: string;
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Media };
  responses: Readonly<Record<string, { description: string; content?: Media }>>;
  'x-wherry-command': string;
};
type Document = {
  openapi: string;
  info: { title: string; version: string };
  tags: { name: string }[];
  paths: Readonly<Record<string, { parameters?: { $ref: string }[]; get?: Operation; post?: Operation }>>;
  security: Record<string, string[]>[];
  components: {
    securitySchemes: Record<string, unknown>;
    schemas: { Problem: JsonSchema };
    parameters: Readonly<Record<string, Parameter>>;
  };
};

let started: Awaited<ReturnType<typeof startApi>>;
let document: Document;
beforeAll(async () => {
  started = await startApi();
  document = JSON.parse((await ask(started.socket, { path: '/openapi.json' })).text);
});
afterAll(() => started.close());

const commands = createCoreRegistry().list();
const fixed = openApi(commands, '1.2.3') as Document;
const operations = Object.entries(fixed.paths).flatMap(([path, { get, post }]) => [
  ...(get ? [{ path, method: 'get', operation: get }] : []),
  ...(post ? [{ path, method: 'post', operation: post }] : []),
]);
const operationOf = (command: Command) =>
  operations.find(each => each.operation['x-wherry-command'] === command.name);

describe('GET /openapi.json', () => {
  it('is a document of OpenAPI 3.1', () => {
    expect(document).toEqual(fixed);
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'Wherry', version: '1.2.3' });
    expect(document.components.schemas.Problem).toMatchObject({ type: 'object' });
  });

  it('says that a token lets in, where a socket does not', () => {
    expect(document.security).toEqual([{ token: [] }, {}]);
    expect(document.components.securitySchemes).toMatchObject({ token: { type: 'http', scheme: 'bearer' } });
  });

  it('has one operation for each command, and no other', () => {
    expect(operations.map(each => each.operation['x-wherry-command'])).toEqual(
      commands.map(each => each.name),
    );
    const ids = operations.map(each => each.operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][a-z0-9_]*$/);
  });

  it('refers to nothing that is not there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/([^"]*)"/g)];
    expect(new Set(references.map(([, name]) => name))).toEqual(
      new Set(['schemas/Problem', 'parameters/IfNoneMatch', 'parameters/IdempotencyKey']),
    );
    expect(Object.keys(document.components.parameters)).toEqual(['IfNoneMatch', 'IdempotencyKey']);
    const tags = new Set(document.tags.map(({ name }) => name));
    for (const { operation } of operations) for (const tag of operation.tags) expect(tags).toContain(tag);
  });
});

/** Their examples reach hosts elsewhere, or mount something. */
const outside = [
  ...['git:from-archive', 'git:sync', 'plugin:install'],
  ...['storage:create', 'storage:ensure-directory', 'storage:set'],
];

describe.each(operations)('$method $path', ({ path, method, operation }) => {
  const command = commands.find(each => each.name === operation['x-wherry-command']) as Command;
  const kinds = { ...command.args, ...command.flags };
  const named = Object.keys(kinds).filter(name => kinds[name]?.schema['type'] !== 'null');

  it('describes its arguments', () => {
    expect(path).toBe(`/v1/${command.name.replace(':', '/')}`);
    expect(operation.summary).toBe(command.summary);
    expect(method).toBe(command.effect === 'read' && !command.acts ? 'get' : 'post');
    const schema = operation.requestBody?.content['application/json']?.schema;
    if (method === 'get') {
      expect(operation.requestBody).toBeUndefined();
      expect(operation.parameters?.map(({ name }) => name)).toEqual(named);
      for (const parameter of operation.parameters ?? []) {
        expect(parameter).toMatchObject({ in: 'query', required: kinds[parameter.name]?.required });
        expect(parameter.schema['type'], 'a query holds no object').not.toBe('object');
        expect(parameter.description).toMatch(/^[^a-z]/);
      }
      return;
    }
    const extra = command.stdin ? ['stdin', 'force'] : ['force'];
    expect(Object.keys(schema?.properties ?? {})).toEqual([...named, ...extra]);
    expect(schema?.required ?? []).toEqual(named.filter(name => kinds[name]?.required));
    expect(schema?.additionalProperties).toBe(false);
    expect(operation.requestBody?.required).toBe(named.some(name => kinds[name]?.required));
    expect('application/octet-stream' in (operation.requestBody?.content ?? {})).toBe(command.stdin === true);
  });

  it('describes its answers', () => {
    expect(Object.keys(operation.responses['200']?.content ?? {})).toContain(
      command.stream ? 'application/x-ndjson' : 'application/json',
    );
    for (const [status, { description, content }] of Object.entries(operation.responses)) {
      expect(description).not.toBe('');
      if (status === '304') expect(content).toBeUndefined();
      else if (status !== '200') expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
    }
    const header = { get: 'IfNoneMatch', post: 'IdempotencyKey' }[method];
    expect(fixed.paths[path]?.parameters ?? []).toEqual(
      command.stream ? [] : [{ $ref: `#/components/parameters/${header}` }],
    );
    expect('304' in operation.responses).toBe(method === 'get' && !command.stream);
    const about = Object.values(command.args).some(kind => kind.role === 'app');
    expect('404' in operation.responses).toBe(about);
  });

  it('takes the examples of the command line by its schema, and answers them as it says', async () => {
    for (const example of command.examples ?? []) {
      const body = bodyOf(command, example);
      const problem = faultsOf(body, schemaOf(operation));
      expect(problem, `${example} as ${JSON.stringify(body)}`).toEqual([]);
      if (outside.includes(command.name)) continue;
      // A stream that goes on would go on.
      await answersAsDescribed({ ...body, ...('tail' in body ? { tail: false } : {}) });
    }
  });

  it('answers when nothing is given', async () => answersAsDescribed({}));

  async function answersAsDescribed(body: Readonly<Record<string, unknown>>): Promise<void> {
    const query = method === 'get' ? `?${new URLSearchParams(entriesOf(body))}` : '';
    const { status, text, headers } = await ask(started.socket, {
      method: method.toUpperCase(),
      path: `${path}${query}`,
      ...(method === 'get' ? {} : { body, headers: { 'content-type': 'application/json' } }),
    });
    const described = operation.responses[status] ?? operation.responses['default'];
    const type = headers['content-type']?.split(';')[0] ?? '';
    expect(Object.keys(described?.content ?? {}), text).toContain(type);
    if (status !== 200) {
      expect(faultsOf(JSON.parse(text), document.components.schemas.Problem)).toEqual([]);
      expect(JSON.parse(text).detail).not.toMatch(/fault of its own/);
      return;
    }
    const schema = described?.content?.[type]?.schema ?? {};
    const lines = type === 'application/json' ? [text] : text.split('\n').filter(Boolean);
    expect(lines.flatMap(line => faultsOf(JSON.parse(line), schema))).toEqual([]);
  }
});

/** What GET takes, as the object that POST would. */
function schemaOf({ parameters = [], requestBody }: Operation): JsonSchema {
  const schema = requestBody?.content['application/json']?.schema;
  return (
    schema ?? {
      type: 'object',
      properties: Object.fromEntries(parameters.map(each => [each.name, each.schema])),
      required: parameters.filter(each => each.required).map(each => each.name),
      additionalProperties: false,
    }
  );
}

/** A command line as JSON: each word as the type that the schema of its argument has. */
function bodyOf(command: Command, example: string): Record<string, unknown> {
  const { rest, globals } = readInvocation(splitWords(example));
  const words = readWords(command, rest, globals);
  const left = [...words.positional];
  const body: Record<string, unknown> = { ...Object.fromEntries(words.flags) };
  for (const [name, kind] of Object.entries(command.args)) {
    const given = kind.rest ? left.splice(0) : left.shift();
    if (given !== undefined && given.length > 0) body[name] = given;
  }
  const info = Object.entries(command.flags ?? {}).find(([, kind]) => kind.unknownFlags);
  if (info && words.unknown[0] !== undefined) body[info[0]] = words.unknown[0];
  if (globals.force) body['force'] = true;
  const schemas = { ...command.args, ...command.flags };
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, typed(value, schemas[name]?.schema ?? {})]),
  );
}

function typed(value: unknown, schema: JsonSchema): unknown {
  if (schema.type === 'integer' || schema.enum?.every(each => typeof each === 'number')) return Number(value);
  if (schema.type === 'string' && Array.isArray(value)) return value.join(' ');
  if (schema.type === 'object' && Array.isArray(value))
    return Object.fromEntries(
      value.map(pair => {
        const at = String(pair).indexOf('=');
        const inner = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
        return [String(pair).slice(0, at), typed(String(pair).slice(at + 1), inner)];
      }),
    );
  return value;
}

function entriesOf(body: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(body).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each): [string, string] => [name, String(each)]),
  );
}

describe('the answers of the main commands', () => {
  it.each([
    ...['apps:create', 'apps:list', 'apps:exists', 'ps:scale', 'ps:restart', 'ps:rebuild', 'ps:set'],
    ...['config:get', 'config:show', 'config:set', 'domains:add', 'releases', 'releases:info', 'rollback'],
    ...['events', 'audit', 'git:set', 'checks:set'],
    ...commands
      .filter(({ flags = {} }) => Object.values(flags).some(kind => kind.unknownFlags))
      .map(({ name }) => name),
  ])('%s have a schema', name => {
    const { result } = commands.find(each => each.name === name) ?? {};
    expect(result?.schema, name).toBeDefined();
  });

  it('would be refused where they are not as it says', () => {
    const schemaFor = (name: string) => commands.find(each => each.name === name)?.result?.schema ?? {};
    const scale = schemaFor('ps:scale');
    expect(faultsOf([{ process_type: 'web', quantity: 1 }], scale)).toEqual([]);
    expect(faultsOf([{ process_type: 'web', quantity: '1' }], scale)).toEqual([
      '$[0].quantity: is no integer',
    ]);
    expect(faultsOf([{ quantity: 1 }], scale)).toEqual(['$[0]: process_type is missing']);
    expect(faultsOf(3, schemaFor('config:get'))).toEqual(['$: is no string', '$: is no null']);
    expect(faultsOf({ a: { b: 1 } }, schemaFor('ps:report')).length).toBeGreaterThan(0);
  });
});

describe('the test of schemas', () => {
  it('would find a command that is missing', () => {
    expect(operationOf({ ...(commands[0] as Command), name: 'no:such' })).toBeUndefined();
  });
});
