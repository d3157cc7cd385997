import type { App } from './domain/app.ts';
import { dockerOptionsKey, readRunOptions } from './domain/docker-option.ts';
import { type AppNetworks, type NetworkProperty, networkKey, readNetworks } from './domain/network.ts';
import type { Store } from './store/store.ts';

/** Which networks an app is on: by its own properties, else by those of all apps, and by docker-options. */
export function networksOf({ properties }: Pick<Store, 'properties'>, app: Pick<App, 'id'>): AppNetworks {
  const own = `app:${app.id}`;
  const list = (property: NetworkProperty) => {
    const key = networkKey(property);
    return properties.list(properties.get(own, key) === undefined ? 'global' : own, key);
  };
  const asked = (['deploy', 'run'] as const).flatMap(
    phase => readRunOptions(properties.list(own, dockerOptionsKey(phase))).networks,
  );
  return readNetworks(
    property => [...list(property), ...(property === 'attach-post-create' ? asked : [])],
    properties.resolve(app.id, networkKey('tld')),
  );
}
