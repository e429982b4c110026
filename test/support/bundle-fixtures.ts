// Deployment packages as people really upload them, made from the packages this project has installed anyway.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { ZipFile } from 'yazl';

export type ZipContent =
  | string
  | Buffer
  | { readonly content: string | Buffer; readonly mode?: number | undefined };

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const FUNCTIONS = join(PROJECT, 'test/fixtures/functions');
const FILE_MODE = 0o100644;
// Times are part of the archive; a fixed one makes equal content equal bytes.
const MODIFIED = new Date('2026-01-01T00:00:00Z');

/** A zip of these files by their paths inside; regular files, 0644 unless a mode is given. Equal input, equal bytes. */
export async function zipOf(files: Readonly<Record<string, ZipContent>>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [path, file] of Object.entries(files)) {
    const { content, mode } = isPlain(file) ? { content: file, mode: undefined } : file;
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    zip.addBuffer(bytes, path, { mtime: MODIFIED, mode: modeOf(mode), forceDosTimestamp: true });
  }
  zip.end();
  return buffer(zip.outputStream);
}

/** A zip of all files below a directory, with their permissions. */
export async function zipDirectory(dir: string): Promise<Buffer> {
  return zipOf(await filesBelow(dir));
}

/** `index.handler`: one bundled ES module with the AWS SDK's S3 client and zod in it. */
export async function awsSdkAndZodZip(): Promise<Buffer> {
  const { outputFiles } = await build({
    entryPoints: [join(FUNCTIONS, 'with-aws-sdk-and-zod/index.ts')],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    write: false,
    sourcemap: false,
    absWorkingDir: PROJECT,
    logLevel: 'silent',
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error('esbuild wrote nothing');
  return zipOf({ 'index.js': Buffer.from(bundle.contents) });
}

/** `index.handler`: a small ES module and several hundred files of date-fns and zod in node_modules. */
export async function manyModulesZip(): Promise<Buffer> {
  return zipOf(await manyModulesFiles());
}

/** The files of {@link manyModulesZip} by their paths. */
export async function manyModulesFiles(): Promise<Readonly<Record<string, ZipContent>>> {
  const files: Record<string, ZipContent> = {
    ...(await filesBelow(join(FUNCTIONS, 'many-modules'))),
  };
  for (const name of ['date-fns', 'zod']) {
    const found = await filesBelow(join(PROJECT, 'node_modules', name), isNeededAtRunTime);
    for (const [path, file] of Object.entries(found)) files[`node_modules/${name}/${path}`] = file;
  }
  return files;
}

/** Without type declarations, maps, sources and documents, nor the parts of date-fns that have an entry point of their own. */
function isNeededAtRunTime(path: string): boolean {
  if (/^(fp|cdn)\/|^locale\/(?!en-US|_lib)/.test(path)) return false;
  if (path === 'package.json' || path.endsWith('/package.json')) return true;
  return path.endsWith('.js');
}

async function filesBelow(
  dir: string,
  isWanted: (path: string) => boolean = () => true,
): Promise<Readonly<Record<string, ZipContent>>> {
  const files: Record<string, ZipContent> = {};
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  for (const path of paths) {
    const inside = relative(dir, path).split(sep).join('/');
    if (!isWanted(inside)) continue;
    const [content, { mode }] = await Promise.all([readFile(path), stat(path)]);
    files[inside] = { content, mode };
  }
  return files;
}

function isPlain(file: ZipContent): file is string | Buffer {
  return typeof file === 'string' || Buffer.isBuffer(file);
}

/** yazl takes the whole of a stat mode; a caller may say 0o755 alone. */
function modeOf(mode: number | undefined): number {
  return mode === undefined ? FILE_MODE : 0o100000 | (mode & 0o7777);
}
