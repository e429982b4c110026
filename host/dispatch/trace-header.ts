// X-Amzn-Trace-Id: where a chain of invocations began, and how often each function has run in it. The count is how a function that
// calls itself in a loop, directly or through others, is stopped.
import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ServiceError } from '../service-error.ts';

/** A trace header is some hundred characters; a longer one is not handed on, since it would not fit into an answer's headers. */
const MAX_CHARS = 1024;

/** After so many invocations of one function in one chain the next one is dropped: the service's figure, which it calls about. */
const MAX_INVOCATIONS = 16;

/** Functions of a chain that are remembered; beyond, the one that joined it first is forgotten. */
const MAX_FUNCTIONS = 32;

const LINEAGE = 'Lineage=';

/** As seen on real requests: `1:36680206:0`, one for each function, joined by `|`. The last figure counts earlier invocations. */
const ENTRY = /^(?<lead>\d{1,5}):(?<hash>[0-9a-f]{8}):(?<earlier>\d{1,5})$/;

export interface TracedInvocation {
  /** What the function gets: the caller's header with this invocation counted in it. */
  readonly header: string;
  /** It has run so often in this chain that it must be a loop. */
  readonly isRecursive: boolean;
}

/** The caller's header as it is, or a new root. */
export function traceHeader(
  given: string | readonly string[] | undefined,
  tracingMode: 'Active' | 'PassThrough',
  epochMs: number,
): string {
  if (typeof given === 'string' && given !== '' && given.length <= MAX_CHARS) return given;
  const seconds = Math.floor(epochMs / 1000).toString(16);
  const [root, parent] = [randomHex(24), randomHex(16)];
  const sampled = tracingMode === 'Active' ? 1 : 0;
  return `Root=1-${seconds.padStart(8, '0')}-${root};Parent=${parent};Sampled=${sampled}`;
}

/** Counts one invocation of a function into the chain that the header is of. */
export function withInvocation(header: string, functionKey: string): TracedInvocation {
  const hash = crc32(functionKey).toString(16).padStart(8, '0');
  if (!header.includes(LINEAGE))
    return { header: `${header};${LINEAGE}1:${hash}:0`, isRecursive: false };
  const fields = header.split(';');
  const at = fields.findIndex((field) => field.startsWith(LINEAGE));
  const chain = (fields[at] ?? '').slice(LINEAGE.length).split('|');
  const counted = countedIn(chain, hash);
  fields[at] = LINEAGE + counted.chain.slice(-MAX_FUNCTIONS).join('|');
  return { header: fields.join(';'), isRecursive: counted.earlier >= MAX_INVOCATIONS };
}

/** What a caller is told whose call would be one too many in a loop. */
export function recursiveInvocation(): ServiceError {
  return new ServiceError(
    'RecursiveInvocationException',
    "We have detected that your function is being invoked in a recursive loop with other resources and have stopped this invocation. If the loop is intended, set the function's RecursiveLoop to Allow.",
  );
}

function countedIn(chain: readonly string[], hash: string) {
  let earlier = 0;
  let isKnown = false;
  const counted = chain
    .filter((entry) => entry !== '')
    .map((entry) => {
      const parts = ENTRY.exec(entry)?.groups;
      if (parts === undefined || parts['hash'] !== hash) return entry;
      isKnown = true;
      earlier = Number(parts['earlier']) + 1;
      return `${parts['lead']}:${hash}:${Math.min(earlier, 99_999)}`;
    });
  return { earlier, chain: isKnown ? counted : [...counted, `1:${hash}:0`] };
}

/** Cut from UUIDs, which Node makes in stock; their fixed digits do not matter for ids that need be unique only. */
function randomHex(digits: 16 | 24): string {
  const uuid = randomUUID();
  const tail = uuid.slice(19, 23) + uuid.slice(24);
  return digits === 16 ? tail : uuid.slice(0, 8) + tail;
}
