// Whether a signature was made for this host, for now, and by a key; everything about it that no hash decides.
import { ServiceError } from '../service-error.ts';
import type { SignatureTerms, SigningTime } from './carrier.ts';
import { formatBasicTime } from './timestamp.ts';

/** How far the two clocks may be apart: as on the service. */
const clockSkewMs = 5 * 60_000;

/** The service's own pattern of a region, as it stands inside the pattern of an ARN. */
const regionForm = /^(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d$/;

/**
 * Throws InvalidSignatureException unless the terms name a region, an accepted service, the terminator and `host`. The
 * answer depends on nothing else, so it holds for as long as the terms are remembered.
 */
export function requireTerms(terms: SignatureTerms, services: readonly string[]): void {
  const { region, service, terminator } = terms.credential;
  let problems = '';
  if (!regionForm.test(region)) problems += 'Credential should be scoped to a valid region. ';
  if (!services.includes(service)) {
    problems += `Credential should be scoped to correct service: '${services[0]}'. `;
  }
  if (terminator !== 'aws4_request') {
    problems += `Credential should be scoped with a valid terminator: 'aws4_request', not '${terminator}'. `;
  }
  if (problems !== '') throw invalid(problems);
  if (!terms.signedHeaders.includes('host')) {
    throw invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
}

/** Throws InvalidSignatureException unless the day of the scope is the day of the request. */
export function requireSameDay(scopeDate: string, time: SigningTime): void {
  const day = time.text.slice(0, 8);
  if (scopeDate !== day) {
    throw invalid(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scopeDate}' != '${day}', from '${time.text}'.`,
    );
  }
}

/** Throws InvalidSignatureException unless the time lies within five minutes of now (epoch milliseconds). */
export function requireCurrent(time: SigningTime, nowMs: number): void {
  if (time.atMs < nowMs - clockSkewMs) {
    const earliest = formatBasicTime(nowMs - clockSkewMs);
    throw invalid(
      `Signature expired: ${time.text} is now earlier than ${earliest} (${formatBasicTime(nowMs)} - 5 min.)`,
    );
  }
  requireBegun(time, nowMs);
}

/** The same for a presigned request, which ends `expiresSeconds` after its time instead. */
export function requireUnexpired(time: SigningTime, expiresSeconds: number, nowMs: number): void {
  const endMs = time.atMs + expiresSeconds * 1000;
  if (endMs < nowMs) {
    throw invalid(
      `Signature expired: ${formatBasicTime(endMs)} is now earlier than ${formatBasicTime(nowMs)}`,
    );
  }
  requireBegun(time, nowMs);
}

function requireBegun(time: SigningTime, nowMs: number): void {
  if (time.atMs <= nowMs + clockSkewMs) return;
  const latest = formatBasicTime(nowMs + clockSkewMs);
  throw invalid(
    `Signature not yet current: ${time.text} is still later than ${latest} (${formatBasicTime(nowMs)} + 5 min.)`,
  );
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidSignatureException', message);
}
