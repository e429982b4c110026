// External extensions for tests: bash over curl, in a layer.
import { executable } from './custom-runtime.ts';

/**
 * An extension that says in the log what it gets. `before` runs before it registers, `init` between that and its first call for an
 * event, `handle` for each event, which is in `$event`.
 */
export function bashExtension({
  events = ['INVOKE', 'SHUTDOWN'],
  before = '',
  init = '',
  handle = '',
}: {
  events?: readonly string[];
  before?: string;
  init?: string;
  handle?: string;
}) {
  return executable(`#!/bin/bash
name=\${0##*/}
tmp=\${TMPDIR:-/tmp}
api=http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension
${before}
curl -sS -D $tmp/$name.headers -o $tmp/$name.body -X POST "$api/register" -H "Lambda-Extension-Name: $name" \\
  -H 'Lambda-Extension-Accept-Feature: accountId' -d '${JSON.stringify({ events })}'
id=$(sed -n 's/^lambda-extension-identifier: \\(.*\\)\\r$/\\1/Ip' $tmp/$name.headers)
report() { curl -sS -o /dev/null -X POST "$api/$1" -H "Lambda-Extension-Identifier: $id" -H "Lambda-Extension-Function-Error-Type: $2"; }
echo "[$name] registered $(cat $tmp/$name.body)"
${init}
while :; do
  event=$(curl -sS "$api/event/next" -H "Lambda-Extension-Identifier: $id") || exit 9
  echo "[$name] $event"
  ${handle}
  case $event in *SHUTDOWN*) echo "[$name] ends"; exit 0 ;; esac
done
`);
}
