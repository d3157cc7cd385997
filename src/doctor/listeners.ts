import type { Settings } from '../settings.ts';
import type { Listener } from './ports.ts';

/** What the settings have Wherry listen on. */
export function listenersOf(settings: Pick<Settings, 'ssh' | 'http' | 'https'>): readonly Listener[] {
  const { ssh, http, https } = settings;
  return [
    { flag: 'ssh', ...ssh },
    { flag: 'http', ...http },
    ...(https ? [{ flag: 'https', ...https }] : []),
  ];
}
