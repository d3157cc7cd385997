import { WherryError } from '../domain/errors.ts';
import { hooks } from '../hooks.ts';
import type { PluginDefinition } from './api.ts';

/** Names of namespaces and words that are Wherry's own are refused by the registry; this is the form alone. */
export function isPluginName(text: unknown): text is string {
  return typeof text === 'string' && /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text) && text.length <= 40;
}

/** What a plugin's `index` gave, as what it must be; authors may not have had a compiler. @throws invalid */
export function checkDefinition(value: unknown, name: string): PluginDefinition {
  const refuse = (why: string): never => {
    throw new WherryError('invalid', `Plugin ${name} cannot be used: ${why}`);
  };
  if (typeof value !== 'object' || value === null) return refuse('its index has no default export.');
  const definition = value as PluginDefinition;
  if (definition.name !== name)
    refuse(`it calls itself ${JSON.stringify(definition.name)}, its folder ${name}.`);
  if (typeof definition.summary !== 'string') refuse('it has no summary.');
  for (const hook of Object.keys(definition.hooks ?? {}))
    if (!Object.hasOwn(hooks, hook)) refuse(`there is no hook named ${hook}.`);
  for (const command of definition.commands ?? [])
    for (const each of [command.name, ...(command.aliases ?? [])])
      if (each !== name && !each.startsWith(`${name}:`))
        refuse(`its command ${each} is not in its own namespace. Call it ${name}:VERB.`);
  return definition;
}
