// The error payloads that the platform itself makes, and the mapping from the end of a process to them.
// Types and texts are the service's.
import type { InvokeOutcome } from '../invocation.ts';
import type { PlatformErrorType } from '../protocol.ts';
import type { SandboxExit } from '../sandbox/sandbox.ts';

/** Buffered responses may have 6 MB and 100 bytes. */
export const MAX_RESPONSE_BYTES = 6_291_556;

function platformError(errorType: PlatformErrorType, errorMessage: string): InvokeOutcome {
  const payload = Buffer.from(JSON.stringify({ errorType, errorMessage }));
  return { kind: 'platformError', errorType, payload };
}

export function timedOut(requestId: string, timeoutMs: number): InvokeOutcome {
  const seconds = (timeoutMs / 1000).toFixed(2);
  return platformError(
    'Sandbox.Timedout',
    `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`,
  );
}

export function processEnded(requestId: string, exit: SandboxExit): InvokeOutcome {
  const type = exit.kind === 'outOfMemory' ? 'Runtime.OutOfMemory' : 'Runtime.ExitError';
  return platformError(type, `RequestId: ${requestId} Error: ${exitText(exit)}`);
}

/** The runtime's connection has ended in the middle of a result. */
export function truncatedResponse(): InvokeOutcome {
  return platformError('Runtime.TruncatedResponse', 'Response is truncated');
}

/** The runtime has posted a result in a mode that there is not. */
export function invalidResponseMode(): InvokeOutcome {
  return platformError('Runtime.InvalidResponseModeHeader', 'Invalid function response mode');
}

/** What has no text of its own above: `reason` is what the service says behind the request id. */
export function broken(
  requestId: string,
  errorType: PlatformErrorType,
  reason: string,
): InvokeOutcome {
  return platformError(errorType, `RequestId: ${requestId} Error: ${reason}`);
}

/** Without the request id that stands before it in answers. */
export function exitText(exit: SandboxExit): string {
  switch (exit.kind) {
    case 'exited':
      return exit.code === 0
        ? 'Runtime exited without providing a reason'
        : `Runtime exited with error: exit status ${exit.code}`;
    case 'signalled':
      return `Runtime exited with error: signal: ${exit.signal}`;
    case 'outOfMemory':
      return 'Runtime exited with error: signal: killed';
    default:
      return exit satisfies never;
  }
}

/** The service names the limit, not the actual size, and has the message first. */
export function responseTooLarge(): InvokeOutcome {
  const errorType: PlatformErrorType = 'Function.ResponseSizeTooLarge';
  const errorMessage = `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`;
  const payload = Buffer.from(JSON.stringify({ errorMessage, errorType }));
  return { kind: 'platformError', errorType, payload };
}
