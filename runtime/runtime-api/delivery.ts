// The headers that an event comes with. Those without a value stay out.
import type { OutgoingHttpHeaders } from 'node:http';
import type { Delivery } from './session.ts';

export function deliveryHeaders({
  event,
  invocationId,
  deadlineMs,
}: Delivery): OutgoingHttpHeaders {
  const { invocation } = event;
  const headers: OutgoingHttpHeaders = {
    'Content-Type': 'application/json',
    'Content-Length': invocation.payload.length,
    'Lambda-Runtime-Aws-Request-Id': invocation.requestId,
    'Lambda-Runtime-Invocation-Id': invocationId,
    'Lambda-Runtime-Deadline-Ms': deadlineMs,
    'Lambda-Runtime-Invoked-Function-Arn': invocation.invokedFunctionArn,
  };
  const optional = {
    'Lambda-Runtime-Trace-Id': invocation.traceId,
    'Lambda-Runtime-Client-Context': invocation.clientContext,
    'Lambda-Runtime-Aws-Tenant-Id': invocation.tenantId,
  };
  for (const [name, text] of Object.entries(optional))
    if (text !== '') headers[name] = headerText(text);
  return headers;
}

/** UTF-8 as the bytes of a header; what no header may hold becomes a space. */
function headerText(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ' ');
}
