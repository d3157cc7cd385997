/** Names that people with bad intentions, and bad keyboards, give to things; by their number in the list of inputs. */
export type HostileName = { readonly number: number; readonly what: string; readonly name: string };

const one = (number: number, what: string, name: string): HostileName => ({ number, what, name });

export const hostileNames: readonly HostileName[] = [
  one(1, 'nothing', ''),
  one(2, '64 characters', 'a'.repeat(64)),
  one(2, '10,000 characters', 'a'.repeat(10_000)),
  one(3, 'this folder', '.'),
  one(3, 'the folder above', '..'),
  one(4, 'a path that climbs', 'a/../b'),
  one(4, 'an absolute path', '/etc/passwd'),
  one(5, 'a flag that exists', '--help'),
  one(5, 'an option of ssh', '-oProxyCommand=x'),
  one(5, 'a dash', '-'),
  one(6, 'a second command', ';id'),
  one(7, 'a substitution', '$(id)'),
  one(8, 'backticks', '`id`'),
  one(9, 'a pipe', 'a|b'),
  one(9, 'an ampersand', 'a&b'),
  one(10, 'a newline', 'a\nb'),
  one(10, 'a newline at the end', 'a\n'),
  one(10, 'a carriage return', 'a\rb'),
  one(10, 'a tab', 'a\tb'),
  one(11, 'a NUL', 'a\0b'),
  one(12, 'upper case', 'Blog'),
  one(13, 'a Cyrillic o', 'bl\u043eg'),
  one(13, 'an accent by NFC', 'caf\u00e9'),
  one(13, 'an accent by NFD', 'cafe\u0301'),
  one(14, 'a right-to-left override', 'blog\u202egolb'),
  one(15, 'the word for all apps', 'global'),
  one(15, 'the flag for all apps', '--global'),
  one(15, 'the word for every one', 'all'),
  one(16, 'the prototype', '__proto__'),
  one(17, 'an encoded slash', 'a%2fb'),
];

/** Words that mean something elsewhere and nothing here: names as all others. */
export const plainNames: readonly HostileName[] = [
  one(15, 'a word of APIs', 'api'),
  one(15, 'a word of login pages', 'admin'),
  one(15, 'a word of the web', 'www'),
  one(15, 'this host', 'localhost'),
  one(16, 'what every object has', 'constructor'),
  one(16, 'what every object inherits', 'tostring'),
  one(16, 'a word of maps', 'has'),
];
