// Functions that bring their own runtime: deployment packages with an executable `bootstrap`.
import type { CreateFunctionCommandInput } from '@aws-sdk/client-lambda';
import { type ZipContent, zipOf } from './bundle-fixtures.ts';
import type { TestHost } from './test-host.ts';

/** Creates a function on `provided.al2023` whose `bootstrap` is this text, and waits until it is Active. */
export async function deployCustom(
  t: TestHost,
  name: string,
  bootstrap: ZipContent,
  more: Partial<CreateFunctionCommandInput> = {},
): Promise<void> {
  const content = typeof bootstrap === 'string' ? executable(bootstrap) : bootstrap;
  await t.deploy(
    name,
    {},
    { Code: { ZipFile: await zipOf({ bootstrap: content }) }, ...CUSTOM, ...more },
  );
}

export const CUSTOM = { Runtime: 'provided.al2023', Handler: 'any.thing:at-all' } as const;

export function executable(content: string): ZipContent {
  return { content, mode: 0o100755 };
}

/**
 * A bootstrap in bash over curl. `init` runs once, `handle` for each event: it has the body in `$event`, the request id in
 * `$id` and the headers in the file `$headers`, and answers by `answer`, which leaves the status in `$tmp/status`.
 */
export function bashRuntime({
  init = '',
  handle = 'answer "$event"',
}: {
  init?: string;
  handle?: string;
}): string {
  return `#!/bin/bash
set -u
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
tmp=\${TMPDIR:-/tmp}
headers=$tmp/headers
post() { curl -sS -o $tmp/reply -w '%{http_code}' -X POST "$api/$1" "\${@:3}" --data-binary "$2"; }
answer() { post "invocation/$id/response" "$1" > $tmp/status; }
header() { sed -n "s/^$1: \\(.*\\)\\r$/\\1/Ip" "$headers"; }
${init}
while :; do
  event=$(curl -sS -D "$headers" "$api/invocation/next") || exit 1
  id=$(header lambda-runtime-aws-request-id)
  ${handle}
done
`;
}
