/**
 * What a terminal would obey instead of showing (ECMA-48, xterm's control sequences): whole sequences, and any other control
 * character. Also what turns the direction of writing, so that a line reads other than it is.
 */
const controls = new RegExp(
  [
    // Colours and the like: select graphic rendition.
    String.raw`(\x1b\[[0-9;:]*m)`,
    // Control sequences: cursor, screen, modes, reports.
    String.raw`(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]`,
    // Strings up to their end, that hold no beginning of another: titles, clipboard, links, device control.
    String.raw`(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)`,
    // Other escapes: character sets, resets, keypad.
    String.raw`\x1b[ -/]+[0-~]`,
    String.raw`\x1b[0-OQ-WYZ\\\x60-~]`,
    String.raw`([\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\u2066-\u2069])`,
  ].join('|'),
  'g',
);
const anyControl = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\u2066-\u2069]/;
const reset = '\x1b[0m';

/** Text that nobody's terminal does anything with but show it; tabs and line ends stay, and `colours` where they are wanted. */
export function plainText(text: string, { colours = false } = {}): string {
  if (!anyControl.test(text)) return text;
  let coloured = false;
  const plain = text
    .replace(/\r(?=\n)|\r$/g, '')
    .replace(controls, (_sequence, colour: string | undefined, control: string | undefined) => {
      if (control !== undefined) return visible(control);
      if (colour === undefined || !colours) return '';
      coloured = true;
      return colour;
    });
  return coloured && !plain.endsWith(reset) ? `${plain}${reset}` : plain;
}

/** The same as one line. */
export function plainLine(text: string): string {
  return plainText(text)
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
    .join(' ');
}

/** How lines of the platform's own begin, behind whatever takes no room. */
const ownMark = /^[\p{Cf}\p{Zs}]*(?:={5}>|-{5}>|!(?:\s|$)|remote:)/u;
const indent = '       ';

/** A program's line among the platform's: one that looks like theirs stands further in. */
export function foreignLine(text: string): string {
  return text
    .split('\n')
    .map(line => plainText(line))
    .map(line => (ownMark.test(line) && !line.startsWith(indent) ? `${indent}${line}` : line))
    .join('\n');
}

/** JSON for a terminal: what JSON itself leaves as it is, written as escapes. It reads as the same. */
export function plainJson(json: string): string {
  return json.replace(
    /[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `^[` for escape, as pagers show it; what has no such name is told to have been there. */
function visible(control: string): string {
  const code = control.charCodeAt(0);
  if (code < 0x20) return `^${String.fromCharCode(code + 0x40)}`;
  return code === 0x7f ? '^?' : '\ufffd';
}
