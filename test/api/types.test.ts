import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { suite, test } from 'node:test';
import { contract } from '../../host/api/model/contract.ts';
import { generateTypes } from '../../host/api/model/generate-types.ts';
import { type LambdaModel, lambdaModel } from '../../host/api/model/model.ts';
import { uncheckedEnums } from '../../host/api/model/recorded.ts';
import type { OperationInput, OperationOutput } from '../../host/api/model/types.ts';

const typesFile = new URL('../../host/api/model/types.ts', import.meta.url);

/** Compiles only when the two types are the same: the type check is the test. */
function same<A, B>(equal: [A, B] extends [B, A] ? true : false): void {
  assert.equal(equal, true);
}

suite('Types generated from the model', () => {
  test('are what the generator writes from the model of today', async () => {
    assert.equal(await readFile(typesFile, 'utf8'), generateTypes());
  });

  test('say which members are required, what enums hold and how blobs arrive', () => {
    same<OperationInput<'GetAlias'>['Name'], string>(true);
    same<OperationInput<'GetFunction'>['Qualifier'], string | undefined>(true);
    same<OperationInput<'CreateFunction'>['PackageType'], 'Zip' | 'Image' | undefined>(true);
    same<OperationInput<'Invoke'>['Payload'], Uint8Array | undefined>(true);
    same<OperationOutput<'DeleteAlias'>, void>(true);
  });

  test('leave a runtime open where the operation decides about it', () => {
    same<OperationInput<'CreateFunction'>['Runtime'], string | undefined>(true);
    same<OperationInput<'UpdateFunctionConfiguration'>['Runtime'], string | undefined>(true);
  });
});

suite('The contract file', () => {
  const { operations, shapes }: LambdaModel = lambdaModel;

  test('has an entry per operation and every shape it names', () => {
    assert.equal(contract.size, 88);
    assert.deepEqual([...contract.keys()], Object.keys(operations));
  });

  test('states the same constraints at the operation and at the shape', () => {
    for (const [name, { input }] of Object.entries(operations)) {
      for (const [member, bound] of Object.entries(input.members)) {
        const shape = shapes[bound.shape];
        for (const key of ['type', 'min', 'max', 'pattern', 'enum', 'sensitive'] as const) {
          assert.deepEqual(bound[key], shape?.[key], `${name}.${member} ${key}`);
        }
      }
    }
  });

  test('answers with a body only where it has an output', () => {
    for (const { name, status, output } of contract.values()) {
      if (output === undefined) assert.equal(status, 204, name);
    }
  });

  test('has the members that recorded departures speak of', () => {
    for (const key of uncheckedEnums) {
      const [shape = '', member = ''] = key.split('.');
      const structure = shapes[shape];
      assert.ok(structure?.type === 'structure' && member in structure.members, key);
    }
  });
});
