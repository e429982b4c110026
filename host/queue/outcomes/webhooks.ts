// Targets that the operator sends to a URL instead: `webhooks.json` in the folder of secrets, reread when it is edited. The service
// knows no such destinations, so functions and their settings go on naming ARNs.
import { join } from 'node:path';
import { parseJsonSecret, WatchedFile } from '../../auth/secret-files.ts';
import { isLoopbackHost } from '../../config-values.ts';

export interface Webhook {
  /** https, or http on this machine. */
  readonly url: URL;
  /** What requests are signed with. */
  readonly key: Buffer;
}

export interface WebhooksOptions {
  readonly secretsDir: string;
  /** Milliseconds. */
  readonly now: () => number;
  /** Gets one sentence when an edited file cannot be used. */
  readonly onProblem: (problem: string) => void;
}

/** Looks up what an ARN is sent to; undefined when it is not in the file. */
export type WebhookLookup = (arn: string) => Webhook | undefined;

/** 24 to 64 bytes, as the Standard Webhooks specification has it. */
const SECRET = /^whsec_(?<base64>[A-Za-z0-9+/]{32,86}={0,2})$/;

/** Throws SecretFileError when `webhooks.json` cannot be used. */
export function openWebhooks({ secretsDir, now, onProblem }: WebhooksOptions): WebhookLookup {
  const path = join(secretsDir, 'webhooks.json');
  const file = new WatchedFile<ReadonlyMap<string, Webhook>>({
    path,
    parse: (text) => parseJsonSecret(path, text, checkWebhooks),
    absent: new Map(),
    now,
    onProblem,
  });
  return (arn) => file.current.get(arn);
}

function checkWebhooks(value: unknown): ReadonlyMap<string, Webhook> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('must be an object from ARN to url and secret');
  return new Map(
    Object.entries(value).map(([arn, entry]) => {
      if (!/^arn:aws[a-z-]*:(?:sqs|sns|events|s3):/.test(arn))
        throw new Error(`${arn} is not the ARN of a queue, topic, event bus or bucket`);
      return [arn, checkWebhook(arn, entry)];
    }),
  );
}

function checkWebhook(arn: string, entry: unknown): Webhook {
  const members = new Map<string, unknown>(Object.entries(entry ?? {}));
  const { url, secret } = { url: members.get('url'), secret: members.get('secret') };
  if (members.size !== 2 || typeof url !== 'string' || typeof secret !== 'string')
    throw new Error(`${arn} must have url and secret, and nothing else`);
  const base64 = SECRET.exec(secret)?.groups?.['base64'];
  if (base64 === undefined)
    throw new Error(`the secret of ${arn} must be whsec_ and 24 to 64 bytes in base64`);
  return { url: checkUrl(arn, url), key: Buffer.from(base64, 'base64') };
}

function checkUrl(arn: string, text: string): URL {
  const url = URL.parse(text);
  const isHere = url !== null && isLoopbackHost(url.hostname.replaceAll(/^\[|\]$/g, ''));
  if (url === null || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isHere)))
    throw new Error(`the url of ${arn} must be https, or http to this machine`);
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw new Error(`the url of ${arn} must be without user, password and fragment`);
  return url;
}
