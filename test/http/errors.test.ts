import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { lambdaModel } from '../../host/api/model/model.ts';
import { errorAnswer } from '../../host/http/errors.ts';
import { ServiceError, type ServiceErrorName } from '../../host/service-error.ts';

function bodyOf(error: unknown): unknown {
  return JSON.parse(String(errorAnswer(error).body));
}

suite('An error answer', () => {
  test('has the status, name and headers of its error', () => {
    const answer = errorAnswer(new ServiceError('ResourceNotFoundException', 'gone'));
    assert.deepEqual(answer, {
      status: 404,
      headers: {
        'Content-Type': 'application/json',
        'x-amzn-ErrorType': 'ResourceNotFoundException',
      },
      body: '{"Type":"User","Message":"gone"}',
    });
  });

  test('spells the message key as each error does', () => {
    const lowerCase = [
      'AliasLimitExceeded',
      'CapacityProviderLimitExceeded',
      'CodeArtifactUserDeleted',
      'CodeArtifactUserFailed',
      'CodeArtifactUserPending',
      'CodeStorageExceeded',
      'FunctionVersionsPerCapacityProviderLimitExceeded',
      'InvalidParameterValue',
      'InvalidRequestContent',
      'ModeNotSupported',
      'PolicyLengthExceeded',
      'PreconditionFailed',
      'ProvisionedConcurrencyConfigNotFound',
      'RequestTooLarge',
      'ResourceConflict',
      'ResourceNotReady',
      'SerializedRequestEntityTooLarge',
      'TooManyRequests',
      'UnsupportedMediaType',
    ].map((name) => `${name}Exception`);
    for (const [name, { modeled, status, fault }] of Object.entries(lambdaModel.errors)) {
      if (!modeled) continue;
      const error = new ServiceError(name as ServiceErrorName, 'why'); // as: the keys are the names
      const key = lowerCase.includes(name) ? 'message' : 'Message';
      assert.deepEqual(
        bodyOf(error),
        { Type: fault === 'client' ? 'User' : 'Service', [key]: 'why' },
        name,
      );
      assert.equal(errorAnswer(error).status, status);
      assert.equal(status >= 500, fault === 'server', name);
    }
  });

  test('has nothing but the message where the service does not model the error', () => {
    assert.deepEqual(bodyOf(new ServiceError('ValidationException', 'm')), { message: 'm' });
    assert.deepEqual(bodyOf(new ServiceError('SerializationException', 'm')), { Message: 'm' });
    assert.deepEqual(bodyOf(new ServiceError('UnknownOperationException', 'm')), { message: 'm' });
    assert.deepEqual(bodyOf(new ServiceError('AccessDeniedException', 'm')), { Message: 'm' });
    assert.deepEqual(bodyOf(new ServiceError('RequestEntityTooLargeException', 'm')), {
      message: 'm',
    });
  });

  test('sends a null message for a denial without a reason', () => {
    assert.deepEqual(bodyOf(new ServiceError('AccessDeniedException', '')), { Message: null });
  });

  test('tells why and for how long a call is throttled', () => {
    const error = new ServiceError('TooManyRequestsException', 'Rate Exceeded.', {
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      retryAfterSeconds: 3,
    });
    const { status, headers, body } = errorAnswer(error);
    assert.equal(status, 429);
    assert.equal(headers['Retry-After'], '3');
    assert.equal(
      body,
      '{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}',
    );
  });

  test('carries what EC2 answered', () => {
    const error = new ServiceError('EC2UnexpectedException', 'm', { EC2ErrorCode: 'Boom' });
    assert.deepEqual(bodyOf(error), { EC2ErrorCode: 'Boom', Type: 'Service', Message: 'm' });
  });

  test('says nothing of a fault of our own', () => {
    for (const thrown of [
      new Error('password is hunter2'),
      new TypeError('x'),
      'text',
      undefined,
      null,
    ]) {
      const { status, headers, body } = errorAnswer(thrown);
      assert.equal(status, 500);
      assert.equal(headers['x-amzn-ErrorType'], 'ServiceException');
      assert.equal(
        body,
        '{"Type":"Service","Message":"An error occurred and the request cannot be processed."}',
      );
    }
  });

  test('keeps the cause for the log', () => {
    const cause = new Error('disk');
    assert.equal(new ServiceError('ServiceException', 'm', { cause }).cause, cause);
  });
});
