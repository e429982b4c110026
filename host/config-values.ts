// Reads one value of a setting, given as text or as JSON. Each parser throws BadValue with what it expects instead.
import { BlockList, isIP } from 'node:net';
import { dirname, resolve } from 'node:path';

/** A value as it stands in a flag, a variable or a file. */
export type RawValue = unknown;

/** Where a relative path begins: the working directory, or the directory of the configuration file. */
export interface ValueContext {
  readonly baseDir: string;
}

export type Parser<T> = (raw: RawValue, context: ValueContext) => T;

/** The message completes “NAME: …”. */
export class BadValue extends Error {
  override readonly name = 'BadValue';
}

export interface ListenAddress {
  /** An address or name, IPv6 without brackets. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

export type MemoryAmount =
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'percent'; readonly percent: number };

const UNITS = { '': 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 } as const satisfies Record<
  string,
  number
>;
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;

export function text(raw: RawValue): string {
  if (typeof raw !== 'string') throw new BadValue(`must be text in quotes, not ${show(raw)}`);
  if (raw === '') throw new BadValue('must not be empty');
  return raw;
}

export function matching(pattern: RegExp, expected: string): Parser<string> {
  return (raw) => {
    const value = text(raw);
    if (!pattern.test(value)) throw new BadValue(`must be ${expected}, not ${show(raw)}`);
    return value;
  };
}

/** As {@link matching}, but never repeats the value. */
export function secretMatching(pattern: RegExp, expected: string): Parser<string> {
  return (raw) => {
    if (typeof raw !== 'string' || !pattern.test(raw)) throw new BadValue(`must be ${expected}`);
    return raw;
  };
}

export function oneOf<const T extends string>(choices: readonly T[]): Parser<T> {
  return (raw) => {
    const found = choices.find((choice) => choice === raw);
    if (found === undefined) throw new BadValue(`must be ${orList(choices)}, not ${show(raw)}`);
    return found;
  };
}

export function whole(least: number, most: number): Parser<number> {
  return (raw) => wholeIn(raw, least, most, '');
}

/** So many per second, or `off`: undefined. */
export function rate(raw: RawValue): number | undefined {
  return raw === 'off' ? undefined : wholeIn(raw, 1, 1_000_000, 'off or ');
}

function wholeIn(raw: RawValue, least: number, most: number, orElse: string): number {
  const value = typeof raw === 'string' && /^\d+$/.test(raw) ? Number(raw) : raw;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw new BadValue(
      `must be ${orElse}a whole number from ${least} to ${most}, not ${show(raw)}`,
    );
  return value;
}

/** Bytes: a number, or one with KiB, MiB or GiB. */
export function bytes(least: number): Parser<number> {
  return (raw) => {
    const value = byteCount(raw);
    if (value === undefined)
      throw new BadValue(`must be a number of bytes such as 268435456 or 256MiB, not ${show(raw)}`);
    if (value < least) throw new BadValue(`must be at least ${least} bytes, not ${show(raw)}`);
    return value;
  };
}

/** Bytes as {@link bytes}, or a share such as `70%`. */
export function memoryAmount(leastBytes: number): Parser<MemoryAmount> {
  return (raw) => {
    const share = typeof raw === 'string' ? /^(\d{1,3})%$/.exec(raw)?.[1] : undefined;
    if (share === undefined) return { kind: 'bytes', bytes: memoryBytes(raw, leastBytes) };
    const percent = Number(share);
    if (percent < 1 || percent > 100) throw new BadValue(`must be 1% to 100%, not ${show(raw)}`);
    return { kind: 'percent', percent };
  };
}

export function path(raw: RawValue, { baseDir }: ValueContext): string {
  return resolve(baseDir, text(raw));
}

/** Paths with colons between them. */
export function paths(raw: RawValue, context: ValueContext): readonly string[] {
  return text(raw)
    .split(':')
    .filter((each) => each !== '')
    .map((each) => path(each, context));
}

/** One of these words, or a path, which is given with a slash in it. */
export function pathOrOneOf(words: readonly string[]): Parser<string> {
  return (raw, context) => {
    const value = text(raw);
    if (words.includes(value)) return value;
    if (value.includes('/')) return path(raw, context);
    throw new BadValue(`must be ${words.join(', ')} or a path, not ${show(raw)}`);
  };
}

/** The directory a file's own relative paths begin at. */
export function directoryOf(file: string): string {
  return dirname(file);
}

export function listenAddress(raw: RawValue): ListenAddress {
  const value = text(raw);
  const match = /^(?:\[(?<v6>[^\]]*)\]|(?<host>[^:[\]]*)):(?<port>\d{1,5})$/.exec(value);
  const { v6, host, port } = match?.groups ?? {};
  const isHost = v6 === undefined ? isHostName(host ?? '') : isIP(v6) === 6;
  if (port === undefined || !isHost || Number(port) > 65_535)
    throw new BadValue(
      `must be an address and a port such as 127.0.0.1:9001 or [::1]:9001, not ${show(raw)}`,
    );
  return { host: v6 ?? host ?? '', port: Number(port) };
}

/** Names as a comma-separated text or a JSON list; lower-cased. */
export function hostNames(raw: RawValue): readonly string[] {
  const items: readonly unknown[] = Array.isArray(raw) ? raw : text(raw).split(',');
  return items.map((item) => {
    const name = typeof item === 'string' ? item.trim().toLowerCase() : '';
    if (!isHostName(name) && isIP(name) === 0)
      throw new BadValue(
        `must be host names separated by commas, without ports, not ${show(item)}`,
      );
    return name;
  });
}

/** Scheme, host and port, without a slash at the end. */
export function origin(raw: RawValue): string {
  const url = URL.parse(text(raw));
  const isOrigin =
    url !== null &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    `${url.origin}/` === url.href;
  if (!isOrigin)
    throw new BadValue(
      `must be http:// or https://, a host and at most a port, without a path, not ${show(raw)}`,
    );
  return url.origin;
}

/** An http or https URL, path allowed, as the AWS SDKs take it. */
export function endpointUrl(raw: RawValue): string {
  const url = URL.parse(text(raw));
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new BadValue(`must be an http:// or https:// URL, not ${show(raw)}`);
  return url.href;
}

/** Whether nothing but this machine can reach a listener at that host. */
export function isLoopbackHost(host: string): boolean {
  if (isIP(host) === 0) return host.toLowerCase() === 'localhost';
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8);
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

/** A text of digits and dots that is no address is a mistyped address, not a name. */
function isHostName(name: string): boolean {
  return isIP(name) === 4 || (HOST_NAME.test(name) && !/^[\d.]+$/.test(name));
}

function memoryBytes(raw: RawValue, least: number): number {
  const value = byteCount(raw);
  if (value === undefined || value < least)
    throw new BadValue(
      `must be a share such as 70% or at least ${least} bytes such as 4GiB, not ${show(raw)}`,
    );
  return value;
}

function byteCount(raw: RawValue): number | undefined {
  const match = /^(\d+)\s*([a-z]*)$/i.exec(typeof raw === 'number' ? String(raw) : text(raw));
  const unit = match?.[2]?.toLowerCase();
  if (match === null || unit === undefined || !isUnit(unit)) return undefined;
  const value = Number(match[1]) * UNITS[unit];
  return Number.isSafeInteger(value) ? value : undefined;
}

function isUnit(unit: string): unit is keyof typeof UNITS {
  return Object.hasOwn(UNITS, unit);
}

function orList(choices: readonly string[]): string {
  return `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}

function show(raw: RawValue): string {
  const shown = JSON.stringify(raw) ?? String(raw);
  return shown.length <= 100 ? shown : `${shown.slice(0, 99)}…`;
}
