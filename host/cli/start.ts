// lambkin start: reads the configuration, starts the host, says what matters, ends it when told to.

import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { hasErrorCode } from '../../runtime/error-code.ts';
import { ConfigError, type HostConfig, isLoopbackHost, readConfig } from '../config.ts';
import { helpText } from '../config-help.ts';
import { type Host, startHost } from '../host.ts';
import { isolationLine } from './isolation-line.ts';

/** Beyond its own grace for what runs, the host has this long to take everything down before the process is ended. */
const LAST_RESORT_MS = 60_000;

export interface StartOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted: end, letting what runs finish. */
  readonly signal: AbortSignal;
  /** Ends the process, however things stand, after `ms`; called once the host has begun to end. */
  readonly endWithin: (ms: number) => void;
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
}

/** Runs until the signal; returns the exit code. */
export async function runStart(options: StartOptions): Promise<number> {
  const { print, printError } = options;
  if (options.args.includes('--help') || options.args.includes('-h')) {
    print(helpText());
    return 0;
  }
  const startedAt = performance.now();
  let config: HostConfig;
  try {
    const { args, env, cwd } = options;
    config = readConfig({ args, env, cwd, readFile: (file) => readFileSync(file, 'utf8') });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    printError(error.message);
    return 2;
  }
  return await runHost(config, startedAt, options);
}

async function runHost(
  config: HostConfig,
  startedAt: number,
  { signal, endWithin, print, printError }: StartOptions,
): Promise<number> {
  let host: Host;
  try {
    host = await startHost({ config, report: (text, cause) => printError(problem(text, cause)) });
  } catch (error) {
    printError(`lambkin cannot start: ${startFailure(error, config)}`);
    return 1;
  }
  await using _ = host;
  for (const line of startReport(host, config, performance.now() - startedAt)) print(line);
  const reason = await Promise.race([aborted(signal), host.lost]);
  endWithin(config.shutdown.graceMs + LAST_RESORT_MS);
  if (reason !== undefined) printError(`lambkin ends: ${reason.message}`);
  else print('lambkin: finishing what runs; a second signal ends at once');
  return reason === undefined ? 0 : 1;
}

/** What an operator can mend is said in full; the rest in the words of whoever threw. */
function startFailure(error: unknown, { listen }: HostConfig): string {
  if (!(error instanceof Error)) return String(error);
  if (!hasErrorCode(error, 'EADDRINUSE')) return error.message;
  return `port ${listen.port} of ${listen.host} is in use by another program. Stop it, or start this one with --listen ADDRESS:OTHER.`;
}

/** One line per fact that matters, and the command to try next. */
function startReport(host: Host, config: HostConfig, readyMs: number): string[] {
  const lines = [
    `lambkin is ready at ${host.listenUrl} after ${Math.round(readyMs)} ms`,
    `  account    ${config.accountId}, region ${config.region}; functions deployed: ${host.functionCount}`,
    `  data       ${host.dataDir}`,
    `  store      SQLite, every change on disk before it is answered`,
    `  isolation  ${isolationLine(host.isolation, config.isolation.mode)}`,
    `  runtimes   ${host.runtimes.join(', ')}`,
    `  auth       ${config.auth === 'sigv4' ? 'sigv4' : 'none: functions and anyone on this machine can reach the API unsigned'}`,
  ];
  if (host.publicUrl !== host.listenUrl)
    lines.push(`  public     ${host.publicUrl} in all links and for functions`);
  if (config.tls === undefined && !isLoopbackHost(config.listen.host))
    lines.push(
      '  warning    listening beyond this machine without TLS: see --tls-cert and --tls-key',
    );
  lines.push(
    '',
    'To use it from this shell:',
    // The SDKs read the first name of the region, boto3 and the CLI the second.
    `  export AWS_ENDPOINT_URL_LAMBDA=${host.publicUrl} AWS_REGION=${config.region} AWS_DEFAULT_REGION=${config.region}`,
  );
  // Without the option the CLI signs with whatever keys it finds, and a signature of foreign keys is refused.
  if (config.auth === 'none')
    return [...lines, '', 'Try next: aws lambda list-functions --no-sign-request'];
  const pair = host.adminPair;
  if (pair !== undefined)
    lines.push(
      `  export AWS_ACCESS_KEY_ID=${pair.accessKeyId} AWS_SECRET_ACCESS_KEY=${pair.secretAccessKey}`,
      'or as a profile in ~/.aws/config:',
      '  [profile lambkin]',
      `  region = ${config.region}`,
      `  aws_access_key_id = ${pair.accessKeyId}`,
      `  aws_secret_access_key = ${pair.secretAccessKey}`,
      '  services = lambkin',
      '  [services lambkin]',
      '  lambda =',
      `    endpoint_url = ${host.publicUrl}`,
    );
  lines.push('', 'Try next: aws lambda list-functions');
  return lines;
}

function problem(text: string, cause: unknown): string {
  if (cause === undefined) return `lambkin: ${text}`;
  return `lambkin: ${text}: ${inspect(cause)}`;
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
