import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';

/** Where a dokku host is, for ssh. */
export type DokkuAddress = {
  readonly user: string;
  readonly host: string;
  readonly port: number | undefined;
};

/** `HOST`, `USER@HOST`, `USER@HOST:PORT`, or the same as an ssh:// URL; the user is dokku unless told. @throws invalid */
export function parseDokkuAddress(text: string): DokkuAddress {
  const form =
    /^(?:ssh:\/\/)?(?:([a-z_][a-z0-9_.-]{0,31})@)?([A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?\/?$/;
  const [, user = 'dokku', host = '', port] = form.exec(text) ?? [];
  if (host !== '' && (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535)))
    return {
      ...{ user, host: host.replace(/^\[(.*)\]$/, '$1') },
      port: port === undefined ? undefined : Number(port),
    };
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is no host. Give it as dokku.example.org, dokku@example.org or example.org:2222.`,
  );
}

/** As people write it. */
export function formatDokkuAddress({ user, host, port }: DokkuAddress): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return `${user}@${shown}${port === undefined ? '' : `:${port}`}`;
}
