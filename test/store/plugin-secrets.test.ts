import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore } from '../../src/store/store.ts';

it('keeps secrets of plugins sealed, apart by plugin, name and app, as long as their app', () => {
  const dir = mkdtempSync(join(tmpdir(), 'wherry-secrets-'));
  const store = openStore(join(dir, 'wherry.db'), createSeal(randomBytes(32)));
  const [blog, shop] = ['blog', 'shop'].map(name => store.apps.create(parseAppName(name), new Date()));
  const token = { plugin: 'hooks', name: 'token' };
  store.pluginSecrets.set(token, blog, 'of the blog');
  store.pluginSecrets.set(token, blog, 'of the blog again');
  store.pluginSecrets.set(token, undefined, 'of everybody');
  const get = (app = blog) => store.pluginSecrets.get(token, app);
  expect([get(), get(shop), store.pluginSecrets.get(token, undefined)]).toEqual([
    ...['of the blog again', undefined, 'of everybody'],
  ]);
  expect(store.pluginSecrets.get({ ...token, plugin: 'other' }, blog)).toBeUndefined();
  const bytes = readdirSync(dir).map(name => readFileSync(join(dir, name), 'latin1'));
  expect(bytes.join('')).toContain('hooks');
  expect(bytes.join('')).not.toContain('of everybody');
  if (blog) store.apps.remove(blog);
  expect(get()).toBeUndefined();
  store.pluginSecrets.set(token, undefined, undefined);
  expect(store.pluginSecrets.get(token, undefined)).toBeUndefined();
  store.close();
  rmSync(dir, { recursive: true });
});
