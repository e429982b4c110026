// The states of a runtime, cell by cell.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayFollow, RUNTIME_STATES, transitionRefusal } from '../../runtime/runtime-api/state.ts';

const ALLOWED = new Set([
  'Started → Ready',
  'Started → InitError',
  'Started → RestoreReady',
  'RestoreReady → Restoring',
  'Restoring → Ready',
  'Restoring → RestoreError',
  'Ready → Ready',
  'Ready → Running',
  'Running → Running',
  'Running → InvocationResponse',
  'Running → InvocationErrorResponse',
  'InvocationResponse → RuntimeResponseSentState',
  'InvocationErrorResponse → RuntimeResponseSentState',
  'RuntimeResponseSentState → Ready',
]);

for (const from of RUNTIME_STATES)
  for (const to of RUNTIME_STATES)
    test(`${from} → ${to} is ${ALLOWED.has(`${from} → ${to}`) ? 'allowed' : 'refused'}`, () => {
      assert.equal(mayFollow(from, to), ALLOWED.has(`${from} → ${to}`));
    });

test('a refusal names both states', () => {
  assert.equal(
    transitionRefusal('Started', 'InvocationResponse'),
    'State transition from Started to InvocationResponse failed for runtime. Error: State transition is not allowed',
  );
});
