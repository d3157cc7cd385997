import { isIP } from 'node:net';
import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

const longestList = 1000;

/** Addresses and CIDR ranges by commas or spaces. @param what they are, for the message @throws invalid */
export function parseAddressList(text: string, what: string): readonly string[] {
  const words = text.split(/[\s,]+/).filter(word => word !== '');
  if (words.length > longestList)
    throw new WherryError(
      'invalid',
      `More than ${longestList} addresses of ${what} are too many. Give ranges.`,
    );
  const wrong = words.find(word => !isRange(word));
  if (wrong === undefined) return words;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(wrong)} is no address or range of ${what}. Write them as 10.0.0.0/8,192.0.2.7.`,
  );
}

function isRange(word: string): boolean {
  const [address = '', bits, more] = word.split('/');
  const widest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  if (address.includes('%') || more !== undefined) return false;
  return bits === undefined ? widest > 0 : /^[0-9]{1,3}$/.test(bits) && Number(bits) <= widest;
}
