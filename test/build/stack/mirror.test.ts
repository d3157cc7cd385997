import { describe, expect, it } from 'vitest';
import { fromLines, fromStanzas } from '../../../src/build/stack/mirror.ts';

const signed = 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]';

describe("the host's Debian mirror", () => {
  it('is read from one-line sources', () => {
    const text = `# comment
deb http://mirror.test/debian bookworm main contrib
deb [arch=amd64 signed-by=/x] http://mirror.test/debian-security bookworm-security main
deb-src http://mirror.test/debian bookworm main
deb http://mirror.test/debian trixie main
deb http://mirror.test/debian bookworm contrib
deb http://other.test/thing bookworm main`;
    expect(fromLines(text)).toEqual([
      `${signed} http://mirror.test/debian bookworm main`,
      `${signed} http://mirror.test/debian-security bookworm-security main`,
    ]);
  });

  it('is read from deb822 stanzas', () => {
    const text = `Types: deb deb-src
# a comment
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main

Enabled: no
Types: deb
URIs: http://off.test/debian
Suites: bookworm
Components: main
`;
    expect(fromStanzas(text)).toEqual([
      `${signed} http://mirror.test/debian bookworm main`,
      `${signed} http://mirror.test/debian bookworm-updates main`,
    ]);
  });
});
