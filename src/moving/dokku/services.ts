import { quoteForPeople } from '../../domain/names.ts';
import { type DokkuHost, listed } from './host.ts';

/** dokku's plugins for data services, by their namespaces. */
const services = [
  ...['postgres', 'redis', 'mysql', 'mariadb', 'mongo', 'rabbitmq', 'memcached', 'elasticsearch'],
  ...['clickhouse', 'meilisearch', 'nats', 'typesense', 'solr', 'couchdb', 'rethinkdb'],
];
/** Plugins whose settings come along or are told, and those of dokku's own that have another description. */
const known = ['letsencrypt', 'http-auth', 'redirect', 'maintenance', ...services];

/** The kinds of services that the host has; plugins that nothing is brought of are told. */
export async function findServices(host: DokkuHost): Promise<readonly string[]> {
  const answer = await host.ask('plugin:list');
  // Not every user may ask for plugins; then each kind is asked for itself.
  if (answer.kind !== 'said') return services;
  const plugins = listed(answer.out).flatMap(line => {
    const [, name, about = ''] = /^([\w-]{1,60})\s+\S+\s+enabled\s*(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, about }];
  });
  const strange = plugins.filter(({ name, about }) => !known.includes(name) && !/^dokku core\b/.test(about));
  if (strange.length > 0)
    host.left.push(`Nothing is brought of these plugins: ${strange.map(({ name }) => name).join(', ')}.`);
  return services.filter(name => plugins.some(plugin => plugin.name === name));
}

/** Services that an app is linked to: their data is for a person to bring. */
export async function tellServices(host: DokkuHost, app: string, kinds: readonly string[]): Promise<void> {
  for (const kind of kinds) {
    const answer = await host.ask(`${kind}:app-links`, app);
    if (answer.kind !== 'said') continue;
    for (const service of listed(answer.out))
      host.left.push(
        /^[\w-]{1,100}$/.test(service)
          ? `Its ${kind} service ${service} does not come. Get its data: ssh ${host.address} ${kind}:export ${service} > ${service}.dump`
          : `Its ${kind} service ${quoteForPeople(service)} does not come.`,
      );
  }
}
