/** One request in an app's access log, as the edge writes it: one JSON object a line. Neither queries nor headers but these two. */
export type AccessLine = {
  /** When the request's head had come, ISO 8601. */
  readonly at: string;
  readonly client: string;
  readonly method: string;
  readonly host: string;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  readonly protocol: string;
  /** 499 when the client left before it had the whole answer. */
  readonly status: number;
  /** Why the edge answered in the app's place. */
  readonly reason?: string;
  /** Of the request's body. */
  readonly bytesIn: number;
  /** Heads included. */
  readonly bytesOut: number;
  /** Milliseconds: until an instance had room, the app was awake, the connection stood, the answer began; and in all. */
  readonly ms: {
    readonly queue: number;
    readonly wake: number;
    readonly connect: number;
    readonly firstByte: number;
    readonly total: number;
  };
  readonly instance?: string;
  readonly requestId: string;
  /** Without its query. */
  readonly referer?: string;
  readonly agent?: string;
};

/** In the place of lines that the disk was too slow for. */
export type DroppedLines = { readonly at: string; readonly dropped: number };
