// Installs a Node for functions into the data directory, by the machine's own npm: the packages that hold nothing but the program.
import { execFile } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { installedProgram, type NodeInterpreter, type NodeMajor, probeNode } from './find.ts';

/** Some 45 MB are to be fetched. */
const INSTALL_LIMIT_MS = 10 * 60_000;

export interface NodeInstallOptions {
  /** Below the data directory; made when it is missing. */
  readonly installDir: string;
  /** Of npm: where it finds itself, its cache and its settings. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Of the host's environment what npm needs: where it keeps things, its settings, how it reaches its registry. */
const NPM_VARIABLES = /^(?:HOME|NODE_EXTRA_CA_CERTS|npm_config_.*|(?:https?|no|all)_proxy)$/i;

/** @param searchPath where npm is found, and the Node that runs it */
export function npmEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  searchPath: string,
): Readonly<Record<string, string | undefined>> {
  const wanted = Object.entries(environment).filter(([name]) => NPM_VARIABLES.test(name));
  return { ...Object.fromEntries(wanted), PATH: searchPath };
}

/** The package that npm is asked for, as one would type it. */
function nodePackage(major: NodeMajor): string {
  return `node-${process.platform}-${process.arch}@${major}`;
}

/** Rejects with what npm said. What is there already is replaced as a whole. */
export async function installNode(
  major: NodeMajor,
  { installDir, environment }: NodeInstallOptions,
  signal: AbortSignal,
): Promise<NodeInterpreter> {
  const target = path.join(installDir, `node-${major}`);
  // Of one name, so that the next try removes what a host left that was killed in the middle.
  const half = `${target}.new`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { recursive: true, mode: 0o755 });
  try {
    await npmInstall(half, nodePackage(major), environment, signal);
    const name = nodePackage(major).split('@')[0] ?? '';
    await rm(target, { recursive: true, force: true });
    await rename(path.join(half, 'node_modules', name), target);
  } finally {
    await rm(half, { recursive: true, force: true });
  }
  const found = await probeNode(installedProgram(installDir, major));
  if (found?.major !== major) throw new Error(`${nodePackage(major)} does not run on this machine`);
  return found;
}

async function npmInstall(
  prefix: string,
  what: string,
  environment: NodeInstallOptions['environment'],
  signal: AbortSignal,
): Promise<void> {
  const quiet = ['--no-audit', '--no-fund', '--no-save', '--no-package-lock', '--loglevel=error'];
  const args = ['install', '--prefix', prefix, '--ignore-scripts', ...quiet, what];
  try {
    await promisify(execFile)('npm', args, {
      env: environment,
      cwd: prefix,
      timeout: INSTALL_LIMIT_MS,
      signal,
    });
  } catch (cause) {
    throw new Error(`npm could not install ${what}: ${whatNpmSaid(cause)}`, { cause });
  }
}

/** Its own words, or why it could not be run at all. */
function whatNpmSaid(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const said = 'stderr' in cause ? String(cause.stderr).trim() : '';
  return said === '' ? cause.message : said;
}
