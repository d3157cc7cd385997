import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { parseAppName, parseDomain } from '../src/domain/names.ts';
import type { CertificateRef, Route, Routing } from '../src/domain/route.ts';
import { createRouteBook } from '../src/route-book.ts';
import { createSeal } from '../src/store/seal.ts';
import { openStore } from '../src/store/store.ts';

const setUp = () => {
  const store = openStore(':memory:', createSeal(randomBytes(32)));
  const sent: (readonly Route[])[] = [];
  const challenges: Record<string, string> = {};
  const asked: Pick<Routing, 'challenges' | 'certificates'>[] = [];
  const proofs: CertificateRef[] = [];
  const others: Route[] = [];
  const publisher = {
    publish: async (routing: Routing) => {
      sent.push(routing.routes);
      const { routes: _, ...rest } = routing;
      asked.push(rest);
      await new Promise(resolve => setTimeout(resolve, 5));
    },
    drained: async () => {},
    quiet: () => true,
  };
  const book = createRouteBook(store, publisher, {
    hold: () => undefined,
    policy: () => undefined,
    ports: () => [],
    answers: () => ({}),
    edge: () => undefined,
    others: () => others,
    proofs: { answers: () => ({ ...challenges }), certificates: () => proofs, pem: () => undefined },
  });
  return { store, sent, book, challenges, proofs, asked, others };
};

it('joins domains of the store with targets of the runtime', async () => {
  const { store, sent, book } = setUp();
  const app = store.apps.create(parseAppName('blog'), new Date());
  store.domains.add(app, parseDomain('blog.org'));
  const targets = [{ id: 'a', host: '10.0.0.2', port: 5000 }];
  await book.publish();
  await book.set(app.name, { kind: 'serving' }, targets);
  expect(sent.at(-1)).toEqual([{ app: 'blog', domains: ['blog.org'], state: 'serving', targets }]);
});

it('adds routes that are of no app', async () => {
  const { sent, book, others } = setUp();
  others.push({ app: '_plugins', domains: ['hooks.org'], state: 'serving', targets: [] });
  await book.publish();
  expect(sent.at(-1)).toEqual(others);
});

it('sends nothing before it knows of every app, so that an edge that serves them keeps all', async () => {
  const { store, sent, book } = setUp();
  const apps = ['blog', 'shop'].map(name => store.apps.create(parseAppName(name), new Date()));
  for (const { name } of apps) await book.set(name, { kind: 'serving' }, [{ id: name, host: 'h', port: 1 }]);
  expect(sent).toEqual([]);
  await book.publish();
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject([{ targets: [{ id: 'blog' }] }, { targets: [{ id: 'shop' }] }]);
});

it('says of an app that was never deployed that it was not', async () => {
  const { store, sent, book } = setUp();
  store.apps.create(parseAppName('blog'), new Date());
  await book.publish();
  expect(sent.at(-1)).toMatchObject([{ state: 'undeployed', targets: [] }]);
});

it('sends one snapshot for changes that come while another is on its way, and the last state wins', async () => {
  const { store, sent, book } = setUp();
  const app = store.apps.create(parseAppName('blog'), new Date());
  await book.publish();
  await Promise.all(
    ['1', '2', '3', '4'].map(id => book.set(app.name, { kind: 'serving' }, [{ id, host: 'h', port: 1 }])),
  );
  expect(sent.length).toBeLessThan(4);
  expect(sent.at(-1)).toMatchObject([{ targets: [{ id: '4' }] }]);
});

it('forgets an app that is gone', async () => {
  const { store, sent, book } = setUp();
  const app = store.apps.create(parseAppName('blog'), new Date());
  await book.set(app.name, { kind: 'serving' }, [{ id: '1', host: 'h', port: 1 }]);
  book.forget(app.name);
  store.apps.remove(app);
  await book.publish();
  expect(sent.at(-1)).toEqual([]);
});

it('tells what certificate authorities are answered and shown, as long as they ask', async () => {
  const { book, challenges, proofs, asked } = setUp();
  await book.publish();
  challenges['token'] = 'token.print';
  proofs.push({ id: 'proof', names: ['blog.org'], proof: true });
  await book.publish();
  delete challenges['token'];
  proofs.pop();
  await book.publish();
  expect(asked).toEqual([
    {},
    {
      challenges: { token: 'token.print' },
      certificates: [{ id: 'proof', names: ['blog.org'], proof: true }],
    },
    {},
  ]);
});

it('gives the edge no domain of an app whose domains are disabled', async () => {
  const { store, sent, book } = setUp();
  const app = store.apps.create(parseAppName('blog'), new Date());
  store.domains.add(app, parseDomain('blog.org'));
  store.properties.set(`app:${app.id}`, 'domains-disabled', 'true');
  await book.publish();
  expect(sent.at(-1)).toMatchObject([{ app: 'blog', domains: [] }]);
});
