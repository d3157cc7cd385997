import {
  type BuildProperty,
  buildPropertyKey,
  buildPropertyNames,
  parseBuildProperty,
  shownProperty,
} from '../domain/build-limits.ts';
import { type Kept, keeping, keptProperty, parseKept } from '../domain/keep.ts';
import { choice, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import { setProperty, settingDone } from './set-property.ts';

type Property = Kept | BuildProperty;

const keptNames = Object.keys(keeping) as readonly Kept[];
const usual = (property: BuildProperty) => shownProperty(property, undefined);

export const buildsSet = defineCommand({
  name: 'builds:set',
  summary: 'Set or, without a value, unset what builds may use and how much is kept of them',
  description: [
    'For one app or, with --global, for all that have none of their own. Limits hold from the next build on.',
    `memory (${usual('memory')} unless set), disk (what it may write, ${usual('disk')}), processes (${usual('processes')}), timeout (from its first container on, ${usual('timeout')}), silence (the longest without output, ${usual('silence')}).`,
    `cpu: share of a busy processor in percent of a running app's (${usual('cpu')}).`,
    'network: all of the Internet (unless set), registries (those that this host has set and the hosts in WHERRY_ALLOW_HOSTS, nothing else) or none; the host itself and its network are out of reach in each.',
    `retention: builds and their output (${keeping.retention.usual}). keep-releases: releases that can be rolled back to (${keeping['keep-releases'].usual}); what only older ones hold is deleted with the next deploy.`,
  ].join(' '),
  examples: [
    'builds:set blog memory 4g',
    'builds:set blog timeout 1h',
    'builds:set blog network registries',
    'builds:set blog keep-releases 3',
    'builds:set blog retention',
    'builds:set --global retention 50',
  ],
  args: {
    app: appOrGlobal,
    property: choice<readonly Property[]>('property', [...buildPropertyNames, ...keptNames]),
    value: optional(text('value')),
  },
  access: { app: 'write' },
  effect: 'write',
  result: settingDone,
  run(context, input) {
    const { app, property } = input;
    const value = input.value ? parseValue(property, input.value) : undefined;
    return setProperty(context, { app, property, key: keyOf(property), value, event: 'builds' });
  },
  text: () => [],
});

function isKept(property: Property): property is Kept {
  return property in keeping;
}

function keyOf(property: Property): string {
  return isKept(property) ? keptProperty(property) : buildPropertyKey(property);
}

function parseValue(property: Property, given: string): string {
  return isKept(property) ? String(parseKept(property, given)) : parseBuildProperty(property, given);
}
