// Outcomes that tests of their delivery begin with.
import type { EventOutcome } from '../../host/queue/outcomes/outcome.ts';

/** A failure after three attempts; members given replace. */
export function outcomeOf(more: Partial<EventOutcome> = {}): EventOutcome {
  return {
    requestId: '4b1e5b6f-0000-4000-8000-0123456789ab',
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST',
    functionName: 'f',
    account: '000000000000',
    region: 'us-east-1',
    roleArn: 'arn:aws:iam::000000000000:role/r',
    condition: 'RetriesExhausted',
    approximateInvokeCount: 3,
    requestPayload: Buffer.from('{"order": 7}'),
    response: {
      statusCode: 200,
      executedVersion: '$LATEST',
      functionError: 'Unhandled',
      payload: Buffer.from('{"errorType":"RangeError","errorMessage":"no","trace":[]}'),
    },
    traceHeader: '',
    errorCode: 200,
    errorMessage: 'no',
    finishedAtMs: Date.UTC(2026, 10, 24, 1, 2, 3, 45),
    ...more,
  };
}
