// One attempt at an asynchronous event, and what follows from how it ended: success, another attempt, or that it is given up.
import type { InvokeOutcome } from '../../runtime/invocation.ts';
import type { Dispatcher, InvokeTarget } from '../dispatch/dispatcher.ts';
import { recursiveInvocation, withInvocation } from '../dispatch/trace-header.ts';
import { type EventInvokeInForce, eventInvokeInForce } from '../event-invoke/record.ts';
import { errorMessageIn } from '../functions/error-message.ts';
import type { Functions, HeldFunction } from '../functions/functions.ts';
import { qualifiedPart, versionNamed } from '../functions/target.ts';
import { ServiceError } from '../service-error.ts';
import type { ClaimedItem } from '../store/store.ts';
import type { QueueCounters } from './counters.ts';
import { deadLetterItems } from './dead-letter.ts';
import { calledArn, EVENT_KIND, type EventError, type EventHead, eventHead } from './event.ts';
import type { LaneWork, Verdict } from './lane-engine.ts';
import { cutErrorMessage } from './outcomes/dead-letter-message.ts';
import { deliveryItems } from './outcomes/delivery-items.ts';
import type { EventOutcome, OutcomeCondition, OutcomeResponse } from './outcomes/outcome.ts';
import {
  afterFunctionError,
  afterRefusal,
  isTooOld,
  type RetryDecision,
  type RetryTerms,
} from './retry.ts';

/** In the service's words, its slip included; no code, as no attempt was made. */
const NO_CONCURRENCY: EventError = {
  code: 0,
  message: 'Function not invoked. Function isconfigured with zero reserved concurrent executions',
};

/** Answers that will be the same however often the event is tried: it is given up. Others may pass. */
const FINAL_STATUSES: ReadonlySet<number> = new Set([400, 403, 404, 413, 415]);

export interface EventWorkOptions {
  readonly dispatcher: Pick<Dispatcher, 'resolve' | 'hasRoom' | 'invokeQueued'>;
  readonly functions: Pick<Functions, 'held'>;
  readonly counters: QueueCounters;
  readonly epochMs: () => number;
  readonly random: () => number;
  readonly newId: () => string;
  readonly retryBaseMs: number;
  readonly keepDeadLettersMs: number;
  /** `LAMBKIN_FUNCTION_ERROR` */
  readonly functionError: 'modern' | 'classic';
  readonly onProblem: (text: string, cause?: unknown) => void;
}

/** Why an event is given up. */
interface GivenUp {
  readonly condition: Exclude<OutcomeCondition, 'Success'>;
  readonly error: EventError;
  readonly response?: OutcomeResponse | undefined;
}

export class EventWork implements LaneWork {
  readonly kind = EVENT_KIND;
  readonly #options: EventWorkOptions;

  constructor(options: EventWorkOptions) {
    this.#options = options;
  }

  begin(item: ClaimedItem): Promise<Verdict> | undefined {
    const head = eventHead(item);
    const held = this.#held(head);
    if (isTooOld(item.acceptedAtMs, this.#options.epochMs(), this.#terms(held, head)))
      return Promise.resolve(this.#aged(item, head));
    try {
      return this.#beginAttempt(item, head);
    } catch (error) {
      if (error instanceof ServiceError) return Promise.resolve(this.#refused(item, error));
      throw error;
    }
  }

  afterFault(item: ClaimedItem, error: unknown): Verdict {
    const { functionName, requestId } = eventHead(item);
    this.#options.onProblem(
      `an event of ${functionName} (request ${requestId}) met a fault`,
      error,
    );
    const refusal = new ServiceError('ServiceException', 'The event could not be run.');
    return this.#refused(item, refusal);
  }

  /** Between finding the version and handing it the event nothing may wait: a version that was replaced would be started anew. */
  #beginAttempt(item: ClaimedItem, head: EventHead): Promise<Verdict> | undefined {
    const { dispatcher, counters, epochMs } = this.#options;
    const target = dispatcher.resolve(head, head.functionName, head.qualifier, head.version);
    const { record } = target;
    if (record.reservedConcurrency === 0)
      return Promise.resolve(
        this.#giveUp(item, head, { condition: 'ZeroReservedConcurrency', error: NO_CONCURRENCY }),
      );
    const traced = withInvocation(head.traceHeader, item.lane);
    if (traced.isRecursive && record.recursiveLoop !== 'Allow')
      return Promise.resolve(this.#giveUp(item, head, recursion()));
    if (!dispatcher.hasRoom(target, head.tenantId)) return undefined;
    counters.countAge(item.lane, Math.max(0, epochMs() - item.acceptedAtMs));
    return this.#attempt(item, head, target, traced.header);
  }

  async #attempt(
    item: ClaimedItem,
    head: EventHead,
    target: InvokeTarget,
    traceId: string,
  ): Promise<Verdict> {
    try {
      const { outcome } = await this.#options.dispatcher.invokeQueued(target, {
        requestId: head.requestId,
        traceId,
        // The service hands it on for synchronous calls only.
        clientContext: '',
        tenantId: head.tenantId,
        payload: item.payload,
        wantsLogTail: false,
      });
      return this.#ended(item, head, target, outcome);
    } catch (error) {
      if (error instanceof ServiceError) return this.#refused(item, error);
      throw error;
    }
  }

  #ended(
    item: ClaimedItem,
    before: EventHead,
    { version: { version } }: InvokeTarget,
    outcome: InvokeOutcome,
  ): Verdict {
    const head = { ...before, attempts: before.attempts + 1, refusals: 0 };
    switch (outcome.kind) {
      case 'returned':
        return this.#succeeded(item, head, responseOf(version, outcome.payload));
      case 'functionError':
      case 'platformError': {
        const isHandled =
          outcome.kind === 'functionError' && this.#options.functionError === 'classic';
        const response = responseOf(version, outcome.payload, isHandled ? 'Handled' : 'Unhandled');
        return this.#failed(item, head, outcome.payload, response);
      }
      case 'notJson':
        return this.#giveUp(item, before, {
          condition: 'RetriesExhausted',
          error: { code: 400, message: outcome.reason },
          response: { statusCode: 400 },
        });
      default:
        return outcome satisfies never;
    }
  }

  #succeeded(item: ClaimedItem, head: EventHead, response: OutcomeResponse): Verdict {
    this.#options.counters.count(item.lane, 'succeeded');
    const held = this.#held(head);
    const { onSuccess } = this.#config(held, head);
    if (onSuccess === undefined) return { again: undefined, followedBy: [] };
    const outcome = this.#outcome(item, head, held, {
      condition: 'Success',
      response,
      error: { code: 200, message: '' },
    });
    return this.#told(outcome, { onSuccess });
  }

  #failed(
    item: ClaimedItem,
    head: EventHead,
    payload: Uint8Array,
    response: OutcomeResponse,
  ): Verdict {
    const { counters, epochMs } = this.#options;
    counters.count(item.lane, 'functionErrors');
    const error = { code: 200, message: cutErrorMessage(errorMessageIn(payload)) };
    const decision = afterFunctionError(
      head.attempts,
      item.acceptedAtMs,
      epochMs(),
      this.#terms(this.#held(head), head),
    );
    return this.#decided(item, { ...head, lastError: error }, decision, error, response);
  }

  /** It did not get to the function. */
  #refused(item: ClaimedItem, { status, message }: ServiceError): Verdict {
    const { counters, epochMs, random } = this.#options;
    const before = eventHead(item);
    const error = { code: status, message: cutErrorMessage(message) };
    if (FINAL_STATUSES.has(status)) {
      // As recorded of the service for a function that had been deleted: counted, and answered with the status alone.
      const last = { ...before, attempts: before.attempts + 1 };
      const response = { statusCode: status };
      return this.#giveUp(item, last, { condition: 'RetriesExhausted', error, response });
    }
    counters.count(item.lane, 'refused');
    const head = { ...before, refusals: before.refusals + 1, lastError: error };
    const terms = this.#terms(this.#held(head), head);
    const decision = afterRefusal(head.refusals, item.acceptedAtMs, epochMs(), terms, random);
    return this.#decided(item, head, decision, error, undefined);
  }

  #aged(item: ClaimedItem, head: EventHead): Verdict {
    const error = head.lastError ?? { code: 429, message: 'Rate Exceeded.' };
    return this.#giveUp(item, head, { condition: 'EventAgeExceeded', error });
  }

  #decided(
    item: ClaimedItem,
    head: EventHead,
    decision: RetryDecision,
    error: EventError,
    response: OutcomeResponse | undefined,
  ): Verdict {
    if (decision.kind === 'giveUp')
      return this.#giveUp(item, head, { condition: decision.condition, error, response });
    this.#options.counters.count(item.lane, 'retried');
    return { again: { dueAtMs: decision.dueAtMs, head }, followedBy: [] };
  }

  /**
   * Whoever is configured is told, and the event is kept as a dead letter in any case. Where the function has been deleted nobody is
   * configured any more: whoever deletes a function hardly means what others were told is accepted, so its dead letters stay, and
   * can be sent to a function of that name that is created again.
   */
  #giveUp(item: ClaimedItem, head: EventHead, given: GivenUp): Verdict {
    const { counters, epochMs, keepDeadLettersMs, newId } = this.#options;
    counters.count(item.lane, 'dropped');
    const held = this.#held(head);
    const outcome = this.#outcome(item, head, held, given);
    const { onFailure } = this.#config(held, head);
    // Dead letters go where the version says; one that is gone leaves it to $LATEST.
    const settings = held && this.#settings(held, head);
    const told = this.#told(outcome, {
      onFailure,
      deadLetterQueue: settings?.deadLetter?.TargetArn || undefined,
    });
    const { condition, error } = given;
    const letter = deadLetterItems(
      {
        what: 'event',
        original: { ...head, lastError: error },
        condition,
        reason: error.message,
        diedAtMs: epochMs(),
      },
      item.payload,
      { keepMs: keepDeadLettersMs, newId },
    );
    return { again: undefined, followedBy: [...told.followedBy, ...letter] };
  }

  #told(outcome: EventOutcome, targets: Parameters<typeof deliveryItems>[1]): Verdict {
    const { newId, epochMs } = this.#options;
    const now = Math.floor(epochMs());
    return { again: undefined, followedBy: deliveryItems(outcome, targets, newId, now) };
  }

  #outcome(
    item: ClaimedItem,
    head: EventHead,
    held: HeldFunction | undefined,
    {
      condition,
      error,
      response,
    }: Omit<GivenUp, 'condition'> & Pick<EventOutcome, 'condition' | 'response'>,
  ): EventOutcome {
    const { requestId, functionName, account, region } = head;
    return {
      requestId,
      functionArn: calledArn(head),
      functionName,
      account,
      region,
      roleArn: held === undefined ? '' : this.#settings(held, head).role,
      condition,
      approximateInvokeCount: head.attempts,
      requestPayload: item.payload,
      response,
      traceHeader: withInvocation(head.traceHeader, item.lane).header,
      errorCode: error.code,
      errorMessage: error.message,
      finishedAtMs: Math.floor(this.#options.epochMs()),
    };
  }

  #held({ account, region, functionName }: EventHead): HeldFunction | undefined {
    return this.#options.functions.held(account, region, functionName);
  }

  #settings(held: HeldFunction, { version = '$LATEST' }: EventHead) {
    return (versionNamed(held, version) ?? held.root.latest).settings;
  }

  /** As it is now, not as it was when the event was accepted. */
  #config(held: HeldFunction | undefined, { qualifier }: EventHead): EventInvokeInForce {
    return eventInvokeInForce(held && qualifiedPart(held, 'event-invoke-config', qualifier));
  }

  #terms(held: HeldFunction | undefined, head: EventHead): RetryTerms {
    const { maximumRetryAttempts, maximumEventAgeSeconds } = this.#config(held, head);
    const { retryBaseMs } = this.#options;
    return { maximumRetryAttempts, maximumEventAgeSeconds, retryBaseMs };
  }
}

function recursion(): GivenUp {
  const { status, message } = recursiveInvocation();
  return { condition: 'RecursiveInvocationTerminated', error: { code: status, message } };
}

function responseOf(
  executedVersion: string,
  payload: Uint8Array,
  functionError?: 'Handled' | 'Unhandled',
): OutcomeResponse {
  return { statusCode: 200, executedVersion, payload, functionError };
}
