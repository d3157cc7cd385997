import { describe, expect, it } from 'vitest';
import { expandOrder, type NamedOrder } from '../../../src/build/lifecycle/composite.ts';

const group = (text: string): NamedOrder[number] =>
  text.split(' ').map(word => {
    const [, id = '', version, question] = /^(\w+?)(\d)?(\?)?$/.exec(word) ?? [];
    return { id, ...(version ? { version } : {}), ...(question ? { optional: true } : {}) };
  });
const text = (order: NamedOrder) =>
  order.map(entries => entries.map(({ id, version = '' }) => id + version).join(' '));
const expand = (order: string[], composites: Record<string, string[]> = {}) =>
  text(expandOrder(order.map(group), ({ id }) => composites[id]?.map(group)));

describe('an order of buildpacks', () => {
  it('D5 expands composite buildpacks in place, depth first, with the rest of the group behind them', () => {
    const composites = { E: ['A F B'], F: ['C', 'G?', 'D'], G: ['A2 B2', 'C2 D2'] };
    expect(expand(['E'], composites)).toEqual(['A C B', 'A B2', 'A C2 D2 B', 'A B', 'A D B']);
  });

  it('D5 also goes on without an optional composite buildpack, but not without another', () => {
    expect(expand(['F? B'], { F: ['A'] })).toEqual(['A B', 'B']);
    expect(expand(['F B'], { F: ['A'] })).toEqual(['A B']);
    expect(expand(['F?'], { F: ['A'] })).toEqual(['A']);
  });

  it('D6 skips the second of one id in a group, also as another version', () => {
    expect(expand(['A B A2 C'])).toEqual(['A B C']);
  });

  it('D5 keeps what is optional inside a composite buildpack', () => {
    const order = expandOrder([group('F')], ({ id }) => (id === 'F' ? [group('A? B')] : undefined));
    expect(order[0]?.map(({ optional }) => optional ?? false)).toEqual([true, false]);
  });

  it('D5 refuses composite buildpacks that contain themselves, and ones that make too many groups', () => {
    expect(() => expand(['F'], { F: ['G'], G: ['A F'] })).toThrow('Buildpack F contains itself.');
    const many = Object.fromEntries('FGHIJKLMNO'.split('').map(id => [id, ['A', 'B']]));
    expect(() => expand(['F G H I J K L M N O'], many)).toThrow('more than 1000 groups');
  });
});
