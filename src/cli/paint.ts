/** How lines begin, and the colour (ECMA-48) of such lines: headings and steps bold, complaints red. */
const marks = [
  [/^[=-]{5}> .*$/gm, '\x1b[1m'],
  [/^ ! {5}.*$/gm, '\x1b[31m'],
] as const;
const plain = '\x1b[0m';

/** Paints whole lines of a stream; all other bytes stay as they are. */
export function createPainter(): (bytes: Buffer) => Buffer {
  let atStart = true;
  return bytes => {
    // One character a byte, so that text cut in the middle of a character stays whole.
    const text = bytes.toString('latin1');
    const from = atStart ? 0 : text.indexOf('\n') + 1 || text.length;
    if (text !== '') atStart = text.endsWith('\n');
    let rest = text.slice(from);
    for (const [line, color] of marks) rest = rest.replace(line, found => `${color}${found}${plain}`);
    return Buffer.from(text.slice(0, from) + rest, 'latin1');
  };
}
