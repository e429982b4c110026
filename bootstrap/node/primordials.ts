// The built-ins that the protocol stands on, taken before any function code can replace them. Nothing else is protected.
/* oxlint-disable typescript/unbound-method -- taking methods off their objects is what this file is for */
import fs from 'node:fs';

/** Turns a method into a function of its receiver, immune to later changes of the prototype and of `call` itself. */
function uncurryThis<Self, Args extends unknown[], Result>(
  method: (this: Self, ...args: Args) => Result,
): (self: Self, ...args: Args) => Result {
  return bind.call(call, method) as (self: Self, ...args: Args) => Result; // bind's typing loses the receiver
}

const { bind, call } = Function.prototype;

/** Node's own string transcoders: on every Buffer since Node 0.11, but not in its published types. */
interface Transcoders {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  utf8Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number;
  utf8Write(this: Uint8Array, text: string, offset: number, length: number): number;
}

const transcoders = Buffer.prototype as unknown as Transcoders; // see Transcoders

export const latin1Slice = uncurryThis(transcoders.latin1Slice);
export const utf8Slice = uncurryThis(transcoders.utf8Slice);
export const latin1Write = uncurryThis(transcoders.latin1Write);
export const utf8Write = uncurryThis(transcoders.utf8Write);
export const copyWithin = uncurryThis(Uint8Array.prototype.copyWithin);
export const setBytes = uncurryThis(Uint8Array.prototype.set);
export const subarray = uncurryThis(Uint8Array.prototype.subarray);
export const charCodeAt = uncurryThis(String.prototype.charCodeAt);
export const stringSlice = uncurryThis(String.prototype.slice);
export const toISOString = uncurryThis(Date.prototype.toISOString);

export const { allocUnsafeSlow, byteLength } = Buffer;
export const { openSync, readSync, writeSync, readFileSync, existsSync, statSync } = fs;
export const { parse: parseJson, stringify: stringifyJson } = JSON;
export const { now } = Date;
/** Milliseconds with fractions since the process started. */
export const monotonicMs: () => number = performance.now.bind(performance);
export const DateConstructor = Date;
export const ErrorConstructor = Error;
export const SyntaxErrorConstructor = SyntaxError;
export const setImmediate = globalThis.setImmediate;
export const wait = Atomics.wait;
export const exit: (code: number) => never = process.exit.bind(process);
export const { emit } = process;
export const resourceUsage = process.resourceUsage.bind(process);
