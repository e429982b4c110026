// README tells what the code does: its tables are those that follow from the code, and no member or operation is left out.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createFunctionMembers, storedOnly } from '../../host/api/effects.ts';
import { operations } from '../../host/api/index.ts';
import { lambdaModel } from '../../host/api/model/model.ts';
import { operationStatus, README, withTables } from './tables.ts';

test("README's tables are up to date (run test/readme/tables.ts to write them)", async () => {
  const readme = await readFile(README, 'utf8');
  assert.equal(readme, withTables(readme));
});

test('every member of CreateFunctionRequest has its row', () => {
  const members = Object.keys(lambdaModel.operations['CreateFunction']?.input.members ?? {});
  assert.ok(members.length > 20);
  assert.deepEqual(Object.keys(createFunctionMembers).toSorted(), members.toSorted());
});

test('an operation that only stores is one that answers', () => {
  for (const name of Object.keys(storedOnly))
    assert.ok(
      [...operations.keys()].some((each) => each === name),
      name,
    );
  assert.equal(operationStatus('Invoke'), 'acts');
});
