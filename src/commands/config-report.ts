import { defineReport } from './report.ts';

export const configReport = defineReport({
  name: 'config:report',
  summary: 'Show the names of config variables, and which are write-only',
  examples: ['config:report', 'config:report blog --config-secret-keys', 'config:report --global'],
  title: 'config',
  prefix: 'config-',
  values: ({ store }, app) => ({
    keys: words(Object.keys(store.config.own(app))),
    'merged-keys': words(Object.keys(store.config.merged(app))),
    'secret-keys': words(store.config.mergedSecretKeys(app)),
  }),
  global: ({ store }) => ({
    keys: words(Object.keys(store.config.own('global'))),
    'secret-keys': words(store.config.secretKeys('global')),
  }),
});

const words = (names: readonly string[]): string => names.join(' ');
