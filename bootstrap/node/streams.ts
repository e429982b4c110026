// process.stdout and process.stderr as the function has them: every write is out before it returns, frozen loop or not.
import type { Writable, WritableOptions } from 'node:stream';

/** Where the bytes go: the frame writer. */
export interface RawLogSink {
  rawLog(timestampMs: number, bytes: Uint8Array): void;
}

/**
 * Puts streams of our own in place of Node's two, made when first touched: loading `node:stream` takes a millisecond, and
 * most functions only use the console. Descriptors 1 and 2 stay as they are for child processes and native code.
 */
export function replaceOutputStreams(
  target: NodeJS.Process,
  sink: RawLogSink,
  clock: () => number,
): void {
  defineStream(target, 'stdout', 1, sink, clock);
  defineStream(target, 'stderr', 2, sink, clock);
}

function defineStream(
  target: NodeJS.Process,
  name: 'stdout' | 'stderr',
  fd: 1 | 2,
  sink: RawLogSink,
  clock: () => number,
): void {
  let stream: unknown;
  Object.defineProperty(target, name, {
    configurable: true,
    enumerable: true,
    get: () => (stream ??= createOutputStream(fd, sink, clock)),
    set: (replacement: unknown) => {
      stream = replacement;
    },
  });
}

function createOutputStream(fd: 1 | 2, sink: RawLogSink, clock: () => number): Writable {
  const { Writable } = process.getBuiltinModule('node:stream');
  const options: WritableOptions = {
    emitClose: false,
    autoDestroy: false,
    write(chunk: Buffer, _encoding, done) {
      sink.rawLog(clock(), chunk);
      done();
    },
    writev(chunks, done) {
      sink.rawLog(clock(), Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer))); // decodeStrings made it one
      done();
    },
    // Like Node's own: never closed for real, so that later writes of others still work.
    destroy(error, done) {
      done(error);
      (stream as Writable & { _undestroy(): void })._undestroy(); // what Node's own two call; not in its types
    },
  };
  const stream = new Writable(options);
  // What code written for a piped stdout may look at.
  return Object.assign(stream, {
    fd,
    _type: 'pipe',
    _isStdio: true,
    ref: () => stream,
    unref: () => stream,
  });
}
