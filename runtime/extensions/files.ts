// The external extensions of a function: every file directly in /opt/extensions, each a program.
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { hasErrorCode } from '../error-code.ts';

/** Their names in order; none when there is no such folder. Reads the disk. */
export function extensionFiles(optDir: string): readonly string[] {
  const folder = path.join(optDir, 'extensions');
  try {
    return (
      readdirSync(folder)
        // A name with a line feed could not be told to the shell, and no extension has one.
        .filter((name) => !name.includes('\n') && !isDirectory(path.join(folder, name)))
        .toSorted()
    );
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function isDirectory(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Of the function's variables those that its extensions do not get. */
const NOT_FOR_EXTENSIONS: ReadonlySet<string> = new Set([
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_XRAY_CONTEXT_MISSING',
  'AWS_XRAY_DAEMON_ADDRESS',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
  '_AWS_XRAY_DAEMON_ADDRESS',
  '_AWS_XRAY_DAEMON_PORT',
  '_HANDLER',
]);

export function variablesForExtensions(
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const kept = Object.entries(variables).filter(([name]) => !NOT_FOR_EXTENSIONS.has(name));
  return Object.fromEntries(kept);
}
