// A client of the AWS Query protocol: signs with the SDK's own signer, posts a form, reads the XML that comes back.
import { request as httpRequest } from 'node:http';
import { type KeyPair, sign } from '../auth/signing.ts';
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from './test-host.ts';

/** An element: its text where it has no elements inside; a list where they are all called `member`. */
export type Xml = string | readonly Xml[] | { readonly [name: string]: Xml };

export interface QueryAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly requestId: string | undefined;
  readonly text: string;
  /** What is in the result element; the whole document where there is none. */
  readonly result: Xml;
  /** Of an error; empty otherwise. */
  readonly code: string;
  readonly message: string;
}

export interface QueryOptions {
  readonly key?: KeyPair;
  readonly service?: string;
  readonly region?: string;
  readonly version?: string;
  /** Sent in the query of a GET that is signed there, for this many seconds. */
  readonly presignedSeconds?: number;
  readonly path?: string;
}

export const testKey: KeyPair = {
  accessKeyId: ACCESS_KEY_ID,
  secretAccessKey: SECRET_ACCESS_KEY,
};

const versions: Readonly<Record<string, string>> = { iam: '2010-05-08', sts: '2011-06-15' };

/** Sends one action. */
export async function query(
  url: string,
  action: string,
  parameters: Readonly<Record<string, string>> = {},
  options: QueryOptions = {},
): Promise<QueryAnswer> {
  const service = options.service ?? 'iam';
  const Version = options.version ?? versions[service] ?? '';
  const form = { Action: action, Version, ...parameters };
  const isPresigned = options.presignedSeconds !== undefined;
  const { host } = new URL(url);
  const body = isPresigned ? undefined : new URLSearchParams(form).toString();
  const signed = await sign(
    {
      method: isPresigned ? 'GET' : 'POST',
      path: options.path ?? '/',
      query: isPresigned ? form : undefined,
      headers: {
        host,
        ...(isPresigned ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      body,
    },
    {
      key: options.key ?? testKey,
      at: Date.now(),
      service,
      region: options.region,
      expiresSeconds: options.presignedSeconds,
    },
  );
  return answerTo(url, signed, body);
}

/** The result of an action that succeeds. */
export async function queryResult(
  url: string,
  action: string,
  parameters: Readonly<Record<string, string>> = {},
  options: QueryOptions = {},
): Promise<Readonly<Record<string, Xml>>> {
  const answer = await query(url, action, parameters, options);
  if (answer.status !== 200 || typeof answer.result === 'string' || Array.isArray(answer.result))
    throw new Error(`${action}: ${answer.status} ${answer.text}`);
  return answer.result as Readonly<Record<string, Xml>>; // neither text nor a list
}

/** `Code: message` of an action that is refused, with its status. */
export async function refusal(
  url: string,
  action: string,
  parameters: Readonly<Record<string, string>> = {},
  options: QueryOptions = {},
): Promise<string> {
  const { status, code, message } = await query(url, action, parameters, options);
  return `${status} ${code}: ${message}`;
}

/** What is in an element under that name. */
export function memberOf(xml: Xml | undefined, name: string): Xml | undefined {
  return entriesOf(xml ?? '').find(([each]) => each === name)?.[1];
}

/** The text of an element that holds nothing else. */
export function textOf(xml: Xml | undefined): string {
  if (typeof xml === 'string') return xml;
  throw new Error(`no text: ${JSON.stringify(xml)}`);
}

/** Sends a request as it is. */
export async function answerTo(
  url: string,
  request: Readonly<{ method: string; target: string; rawHeaders: readonly string[] }>,
  body: string | undefined,
): Promise<QueryAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<QueryAnswer>();
  const outgoing = httpRequest(
    url,
    {
      method: request.method,
      path: request.target,
      headers: [
        ...request.rawHeaders,
        'connection',
        'close',
        ...(body === undefined ? [] : ['content-length', `${Buffer.byteLength(body)}`]),
      ],
      agent: false,
    },
    (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0, headers } = response;
        const requestId = headers['x-amzn-requestid'];
        resolve({
          status: statusCode,
          contentType: headers['content-type'],
          requestId: typeof requestId === 'string' ? requestId : undefined,
          text,
          result: headers['content-type'] === 'text/xml' ? resultOf(parseXml(text)) : text,
          code: /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? '',
          message: unescaped(/<Message>([^]*?)<\/Message>/.exec(text)?.[1] ?? ''),
        });
      });
    },
  );
  outgoing.on('error', reject);
  outgoing.end(body);
  return await promise;
}

function resultOf(document: Xml): Xml {
  const [, content] = entriesOf(document)[0] ?? [];
  const result = entriesOf(content ?? '').find(([name]) => name.endsWith('Result'));
  return result?.[1] ?? content ?? '';
}

function entriesOf(xml: Xml): readonly (readonly [string, Xml])[] {
  return typeof xml === 'string' || Array.isArray(xml) ? [] : Object.entries(xml);
}

/** Refuses what is not well-formed. Attributes are passed over. */
export function parseXml(text: string): Xml {
  const open: { name: string; children: [string, Xml][]; text: string }[] = [
    { name: '', children: [], text: '' },
  ];
  for (const [, end, name = '', empty, characters] of text.matchAll(
    /<(\/)?([A-Za-z]+)[^>]*?(\/)?>|([^<]+)/g,
  )) {
    const current = open.at(-1);
    if (current === undefined) throw new Error(`more is closed than was opened: ${text}`);
    if (characters !== undefined) current.text += characters;
    else if (end === undefined && empty === undefined) open.push({ name, children: [], text: '' });
    else if (empty !== undefined) current.children.push([name, '']);
    else {
      if (current.name !== name) throw new Error(`${name} closes ${current.name}: ${text}`);
      open.pop();
      open.at(-1)?.children.push([name, contentOf(current.children, current.text)]);
    }
  }
  if (open.length !== 1) throw new Error(`not closed: ${text}`);
  return contentOf(open[0]?.children ?? [], '');
}

function contentOf(children: readonly [string, Xml][], text: string): Xml {
  if (children.length === 0) return unescaped(text);
  if (children.every(([name]) => name === 'member')) return children.map(([, content]) => content);
  return Object.fromEntries(children);
}

function unescaped(text: string): string {
  return text
    .replaceAll('&#xD;', '\r')
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
