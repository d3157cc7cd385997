import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problemTitles } from '../../src/api/problem.ts';
import { type ErrorCode, WherryError } from '../../src/domain/errors.ts';
import { ask, startApi } from './support.ts';

let started: Awaited<ReturnType<typeof startApi>>;
beforeEach(async () => {
  started = await startApi();
});
afterEach(() => started.close());

describe('an error over HTTP', () => {
  it('is a problem with status, code, exit status and sentence', async () => {
    const { status, headers, text } = await ask(started.socket, { path: '/v1/urls?app=nobody' });
    expect(status).toBe(404);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(headers['cache-control']).toBe('no-store');
    expect(JSON.parse(text)).toEqual({
      type: 'urn:wherry:problem:app-not-found',
      title: 'There is no such app',
      status: 404,
      detail: 'App nobody does not exist',
      code: 'app-not-found',
      exit: 20,
    });
  });

  it('has a hint where there is one', async () => {
    const { text } = await ask(started.socket, { path: '/v1/apps/lst' });
    expect(JSON.parse(text)).toMatchObject({
      code: 'unknown-command',
      hint: expect.stringContaining('Did you mean apps:list?'),
    });
  });

  it('says nothing of a bug but its id', async () => {
    started.bench.registry.find('version').run = () => {
      throw new Error('secret detail');
    };
    const { status, text } = await ask(started.socket, { path: '/v1/version' });
    expect(status).toBe(500);
    expect(JSON.parse(text).detail).toMatch(/^Wherry met a fault of its own \([0-9a-f]{8}\)/);
    expect(text).not.toContain('secret detail');
    expect(JSON.stringify(started.bench.logged)).toContain('secret detail');
  });

  it('has a row for its code in the docs', () => {
    const docs = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
    for (const code of Object.keys(problemTitles) as ErrorCode[]) {
      const { httpStatus, exitCode } = new WherryError(code, '');
      expect(docs).toContain(`| \`${code}\` | ${httpStatus} | ${exitCode} |\n`);
    }
  });

  it('has a title that is no sentence about the case', () => {
    for (const title of Object.values(problemTitles)) expect(title).toMatch(/^[A-Z][^.]*[a-z]$/);
  });
});
