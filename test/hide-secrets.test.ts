import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { parseAppName, parseConfigKey } from '../src/domain/names.ts';
import { hideSecrets } from '../src/hide-secrets.ts';
import { createSeal } from '../src/store/seal.ts';
import { openStore } from '../src/store/store.ts';

it('takes the values of every app, and of all, out of a line of the log, as JSON has them too', () => {
  const store = openStore(':memory:', createSeal(randomBytes(32)));
  const set = (name: string, value: string) =>
    store.config.set(
      store.apps.create(parseAppName(name), new Date(0)),
      new Map([[parseConfigKey('A'), value]]),
    );
  set('blog', 'of-the-blog');
  set('shop', 'a "quoted"\nsecret\\value');
  store.config.set('global', new Map([[parseConfigKey('A'), 'of-all-apps']]));
  let now = 0;
  const hide = hideSecrets(store, () => now);
  const err = new Error('of-the-blog, a "quoted"\nsecret\\value and of-all-apps').stack;
  const line = hide(JSON.stringify({ level: 50, err }));
  expect(line).not.toMatch(/of-the-blog|quoted|secret.+value|of-all-apps/);
  expect(JSON.parse(line).err).toMatch(/^Error: \[masked\], \[masked\] and \[masked\]\n +at /);

  set('late', 'came-afterwards');
  expect(hide('came-afterwards')).toBe('came-afterwards');
  now = 10_001;
  expect(hide('came-afterwards')).toBe('[masked]');
  store.close();
});

it('never fails, and tells nothing when it cannot know what is secret', () => {
  const store = openStore(':memory:', createSeal(randomBytes(32)));
  const [late, early] = [hideSecrets(store, () => 0), hideSecrets(store, () => 0)];
  store.config.set('global', new Map([[parseConfigKey('A'), 'of-all-apps']]));
  expect(early('of-all-apps')).toBe('[masked]');
  store.close();
  expect(early('of-all-apps')).toBe('[masked]');
  expect(late('of-all-apps')).toMatch(/^{"level":50,"msg":"[a-z, ]+"}\n$/);
});
