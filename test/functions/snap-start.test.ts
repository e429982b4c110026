import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FunctionSettings } from '../../host/functions/record.ts';
import { checkSnapStart } from '../../host/functions/snap-start.ts';

const fitting = {
  runtime: 'python3.13',
  snapStart: 'PublishedVersions',
  ephemeralStorageMib: 512,
} as FunctionSettings; // as: nothing else of them is looked at

function refusalOf(more: Partial<FunctionSettings>): string {
  try {
    checkSnapStart({ ...fitting, ...more });
    return 'taken';
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

const refused = 'InvalidParameterValueException: ';

test('SnapStart is for some runtimes', () => {
  for (const runtime of ['java11', 'java21', 'java25', 'python3.12', 'python3.14', 'dotnet8'])
    assert.equal(refusalOf({ runtime }), 'taken');
  for (const runtime of ['nodejs24.x', 'java8.al2', 'python3.11', 'dotnet6', 'provided.al2023'])
    assert.equal(
      refusalOf({ runtime }),
      `${refused}${runtime} is not supported for SnapStart enabled functions.`,
    );
});

test('SnapStart is not for larger storage, file systems, or tenants; without it they are as they like', () => {
  const cases: readonly (readonly [Partial<FunctionSettings>, RegExp])[] = [
    [{ ephemeralStorageMib: 513 }, /at most 512 MB of ephemeral storage/],
    [{ fileSystems: [{ Arn: 'arn', LocalMountPath: '/mnt/a' }] }, /^Inv.*: FileSystemConfigs are/],
    [{ tenantIsolation: 'PER_TENANT' }, /enabled with tenancy configuration/],
  ];
  for (const [more, text] of cases) {
    assert.match(refusalOf(more), text);
    assert.equal(refusalOf({ ...more, snapStart: 'None' }), 'taken');
  }
});
