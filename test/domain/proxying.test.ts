import { expect, it } from 'vitest';
import { type ProxySetting, readRoutePolicy } from '../../src/domain/proxying.ts';

const policyOf = (set: Partial<Record<ProxySetting, string>>) => readRoutePolicy(name => set[name]);

it('tells the edge nothing when all is as usual', () => {
  expect(policyOf({})).toBeUndefined();
  expect(policyOf({ 'body-limit': '0', sticky: 'false', 'https-redirect': 'true', hsts: 'false' })).toBe(
    undefined,
  );
});

it('reads what is set into what the edge is told', () => {
  expect(
    policyOf({
      'body-limit': '2k',
      'response-timeout': '2m',
      'hard-limit': '5',
      sticky: 'true',
      'https-redirect': 'false',
      hsts: 'true',
      h2c: 'true',
    }),
  ).toEqual({
    bodyLimit: 2048,
    responseTimeout: 120_000,
    hardLimit: 5,
    sticky: true,
    h2c: true,
    plainHttp: true,
    hsts: 'max-age=15724800',
  });
});

it('takes a bare number as bytes, as nginx does', () => {
  expect(policyOf({ 'body-limit': '1000' })).toEqual({ bodyLimit: 1000 });
});
