import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { recordApps } from '../../src/backup/manifest.ts';
import { tame } from '../../src/backup/tame.ts';
import { compareStored } from '../../src/backup/verify.ts';
import { parseAppName, parseConfigKey, parseDomain } from '../../src/domain/names.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore } from '../../src/store/store.ts';
import { image } from '../commands/support.ts';

function setUp() {
  const store = openStore(':memory:', createSeal(randomBytes(32)));
  const at = new Date(0);
  const app = store.apps.create(parseAppName('blog'), at);
  store.config.set(app, new Map([[parseConfigKey('TOKEN'), 'one']]));
  const release = (digit: string) => {
    store.images.put(image(digit));
    const made = { image: image(digit).id, config: store.config.merged(app), actor: 'ann', commit: null, at };
    store.releases.promote(store.releases.create(app, { ...made, description: 'Deploy' }));
  };
  release('1');
  return { store, app, release };
}

describe('what is compared with a backup', () => {
  it('is the same where nothing was lost', () => {
    const { store } = setUp();
    expect(compareStored({ apps: recordApps(store) }, store)).toEqual([]);
  });

  it('is another config, release or app', () => {
    const changed = setUp();
    const was = { apps: recordApps(changed.store) };
    changed.store.config.set(changed.app, new Map([[parseConfigKey('TOKEN'), 'two']]));
    changed.release('2');
    expect(compareStored(was, changed.store)).toEqual([
      'The config of app blog is another one',
      'The live release of app blog is another one',
      "The config of app blog's release is another one",
    ]);
    const gone = setUp();
    gone.store.apps.remove(gone.app);
    expect(compareStored(was, gone.store)).toEqual(['App blog is not in the database']);
  });
});

describe('a database for a drill', () => {
  it('starts nothing by itself, web alone at all, and shows no folder of the host', () => {
    const { store, app } = setUp();
    store.domains.add(app, parseDomain('*.blog.example.org'));
    store.properties.setList(`app:${app.id}`, 'storage', ['/srv/shared:/shared', 'uploads:/uploads']);
    store.properties.set('global', 'rebase-at', '03:30');
    const stopped = store.apps.create(parseAppName('stopped'), new Date(0));
    store.apps.setStopped(stopped, true);

    expect(tame(store)).toEqual([{ name: 'blog', host: 'drill.blog.example.org' }]);
    expect(store.apps.list().map(each => each.stopped)).toEqual([true, true]);
    expect([...store.formation.get(app)]).toEqual([
      ['web', 1],
      ['worker', 0],
    ]);
    expect(store.properties.list(`app:${app.id}`, 'storage')).toEqual(['uploads:/uploads']);
    expect(store.properties.get('global', 'rebase-at')).toBeUndefined();
  });
});
