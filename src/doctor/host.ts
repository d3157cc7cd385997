/** An address that something is to listen on. */
export type Place = { readonly host: string; readonly port: number };

export type Disk = {
  readonly bytes: number;
  readonly bytesFree: number;
  /** 0 where the file system does not count them. */
  readonly inodes: number;
  readonly inodesFree: number;
};

/** What the checks ask of the host; nothing of it changes anything, and every wait is bounded. */
export interface Host {
  readonly kernel: string;
  readonly node: string;
  readonly uid: number;
  /** The text of a file, or undefined. */
  read(path: string): string | undefined;
  /** Owner and permission bits, or undefined when there is no such thing. */
  rights(path: string): { readonly uid: number; readonly mode: number } | undefined;
  /** Of the file system that holds the path, or would. */
  disk(path: string): Disk | undefined;
  /** What a program says of its version; undefined when there is none. */
  version(program: string, flag: string): Promise<string | undefined>;
  /** Addresses of the interfaces. */
  addresses(): readonly string[];
  /** By DNS; none when the name has none, undefined when DNS does not answer. */
  resolve(name: string): Promise<readonly string[] | undefined>;
  /** Who answers a connection: its first bytes, empty when it says nothing; undefined when nobody does. */
  greeting(place: Place): Promise<string | undefined>;
  /** Whether the address could be listened on: undefined, or the reason why not. */
  refusal(place: Place): Promise<string | undefined>;
  /** How far this clock is ahead of one elsewhere, in milliseconds; undefined without network. */
  clockAhead(): Promise<number | undefined>;
}
