/** What became of a layer in a build, and who decided it. */
export type LayerFate = {
  /** `BUILDPACK:LAYER`, or the name of a part of the image that the platform makes. */
  readonly layer: string;
  readonly fate: 'reused' | 'rebuilt' | 'new' | 'gone';
  /** `wherry`, or the id of a buildpack. */
  readonly by: string;
  readonly why: string;
};

type Named = { readonly layer: string; readonly id: string };

/** Of layers that are told from one another by content alone: the app's own files, runtimes. */
export function fatesByContent(before: readonly Named[], now: readonly Named[]): readonly LayerFate[] {
  const old = new Map(before.map(({ layer, id }) => [layer, id]));
  const left = new Set(now.map(({ layer }) => layer));
  return [
    ...now.map(({ layer, id }): LayerFate => {
      const was = old.get(layer);
      if (was === undefined) return { layer, fate: 'new', by: 'wherry', why: 'the last build had none' };
      if (was === id) return { layer, fate: 'reused', by: 'wherry', why: 'its content is the same' };
      return { layer, fate: 'rebuilt', by: 'wherry', why: 'its content is another' };
    }),
    ...before
      .filter(({ layer }) => !left.has(layer))
      .map(({ layer }): LayerFate => ({ layer, fate: 'gone', by: 'wherry', why: 'nothing asked for it' })),
  ];
}

/** Of what one buildpack's build left of a layer: `written` when it wrote into its folder. */
export function fateOfLayer(layer: {
  readonly by: string;
  readonly name: string;
  readonly written: boolean;
  readonly before: string | undefined;
  readonly now: string | undefined;
}): LayerFate {
  const { by, name, written, before, now } = layer;
  const told = { layer: `${by}:${name}`, by };
  if (before === undefined) return { ...told, fate: 'new', why: 'the last build had none to give back' };
  if (!written) return { ...told, fate: 'reused', why: 'its buildpack left it as it was' };
  const why =
    before === now ? 'its buildpack made it again, with the same content' : 'its buildpack wrote to it';
  return { ...told, fate: 'rebuilt', why };
}
