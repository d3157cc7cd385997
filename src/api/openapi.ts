import type { ArgKind, Schema } from '../commands/args.ts';
import type { Command } from '../commands/define.ts';
import { usage } from '../commands/usage.ts';
import { WherryError } from '../domain/errors.ts';
import { problemTitles } from './problem.ts';
import { isSafe, pathOf } from './rest.ts';

type Json = Readonly<Record<string, unknown>>;

/** The document of OpenAPI 3.1 for commands: an operation each, GET where it only reads, else POST. */
export function openApi(commands: readonly Command[], version: string): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Wherry',
      version,
      summary: 'A light self-hosted PaaS',
      description: 'Every command of Wherry, with JSON in and out. What only reads takes POST as well.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(commands.map(namespaceOf))].map(name => ({ name })),
    paths: Object.fromEntries(commands.map(command => [pathOf(command), pathItem(command)])),
    // On the socket, the file's mode is what lets in.
    security: [{ token: [] }, {}],
    components: {
      schemas: { Problem: problemSchema },
      parameters: headers,
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'Of tokens:create' } },
    },
  };
}

function pathItem(command: Command): Json {
  if (command.stream) return isSafe(command) ? { get: operation(command) } : { post: operation(command) };
  return isSafe(command)
    ? { parameters: [refer('IfNoneMatch')], get: operation(command) }
    : { parameters: [refer('IdempotencyKey')], post: operation(command) };
}

function operation(command: Command): Json {
  return {
    operationId: command.name.replaceAll(/[^a-z0-9]+/g, '_'),
    tags: [namespaceOf(command)],
    summary: command.summary,
    description: describe(command),
    ...(isSafe(command) ? { parameters: parameters(command) } : writing(command)),
    responses: {
      '200': success(command),
      ...(isTagged(command) ? { '304': { description: 'As it was under the tag of If-None-Match' } } : {}),
      ...(namesApp(command) ? { '404': problem('There is no such app, or no such value.') } : {}),
      default: problem('Anything else that went wrong; the status is that of its code.'),
    },
    'x-wherry-command': command.name,
  };
}

function describe(command: Command): string {
  const line = `On the command line: \`${usage(command)}\``;
  return command.description ? `${command.description}\n\n${line}` : line;
}

function parameters(command: Command): readonly Json[] {
  return inputs(command).map(([name, kind]) => ({
    name,
    in: 'query',
    required: kind.required,
    description: describeKind(kind),
    schema: kind.schema,
  }));
}

/** Bytes for standard input leave no room for arguments: those go into the query then. */
function writing(command: Command): Json {
  const json = { 'application/json': { schema: bodySchema(command) } };
  if (!command.stdin) return { requestBody: { required: hasRequired(command), content: json } };
  return {
    parameters: parameters(command).map(parameter => ({
      ...parameter,
      required: false,
      description: `${parameter['description']}; here only beside application/octet-stream`,
    })),
    requestBody: {
      required: hasRequired(command),
      content: {
        ...json,
        'application/octet-stream': { schema: { description: 'Standard input as it is' } },
      },
    },
  };
}

function bodySchema(command: Command): Schema {
  const properties = inputs(command).map(([name, kind]) => [
    name,
    { ...kind.schema, description: describeKind(kind) },
  ]);
  const required = inputs(command).flatMap(([name, kind]) => (kind.required ? [name] : []));
  return {
    type: 'object',
    properties: {
      ...Object.fromEntries(properties),
      ...(command.stdin ? { stdin: { type: 'string', description: 'Standard input' } } : {}),
      force: { type: 'boolean', default: false, description: 'As --force: destroy without a question' },
    },
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}

/** What is on the command line alone, to refuse it there, has a schema that takes nothing. */
function inputs(command: Command): readonly [string, ArgKind<unknown>][] {
  const all = [...Object.entries(command.args), ...Object.entries(command.flags ?? {})];
  return all.filter(([, kind]) => kind.schema['type'] !== 'null');
}

function hasRequired(command: Command): boolean {
  return inputs(command).some(([, kind]) => kind.required);
}

function describeKind(kind: ArgKind<unknown>): string {
  const what = kind.help ?? (kind.orGlobal ? 'an app, or --global' : kind.word);
  return what.slice(0, 1).toUpperCase() + what.slice(1);
}

function success(command: Command): Json {
  const integer = { type: 'integer' };
  const headers = {
    ...(command.exit ? { 'Wherry-Exit': { description: 'The exit status, unless 0', schema: integer } } : {}),
    ...(isTagged(command) ? { ETag: { description: 'For If-None-Match', schema: { type: 'string' } } } : {}),
  };
  const schema = command.result && { schema: command.result.schema };
  const streams = { 'application/x-ndjson': { ...(command.stream && schema) }, 'text/event-stream': {} };
  const content = command.stream ? streams : { 'application/json': { ...schema }, ...streams };
  return { description: command.stream ? 'An item a line' : 'The result', headers, content };
}

function problem(description: string): Json {
  return {
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

const codes = Object.keys(problemTitles) as (keyof typeof problemTitles)[];
const problemSchema: Schema = {
  type: 'object',
  description: 'Problem details (RFC 9457)',
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { enum: [...new Set(codes.map(code => new WherryError(code, '').httpStatus))] },
    detail: { type: 'string', description: 'The sentence that the command line shows' },
    code: { enum: codes },
    exit: { type: 'integer', description: 'The exit status of the command line' },
    hint: { type: 'string', description: 'What to type next' },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'exit'],
};

const headers = {
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'The ETag of an answer before',
    schema: { type: 'string' },
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'The same request under the same key is done once a day, and answered alike',
    schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
  },
} as const;

function refer(name: keyof typeof headers): Json {
  return { $ref: `#/components/parameters/${name}` };
}

function isTagged(command: Command): boolean {
  return isSafe(command) && !command.stream;
}

function namespaceOf({ name }: Command): string {
  return name.split(':')[0] ?? name;
}

function namesApp(command: Command): boolean {
  return Object.values(command.args).some(kind => kind.role === 'app');
}
