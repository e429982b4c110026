// What the durable queue is compared with must itself keep to the contract.
import { suite } from 'node:test';
import { dueConformance } from '../store/conformance-due.ts';
import { MemoryDue } from './memory-due.ts';

suite('MemoryDue is work that waits', () => {
  dueConformance(async () => {
    const due = new MemoryDue();
    const close = async () => due.reopen();
    return {
      open: async () => ({ due, [Symbol.asyncDispose]: close }),
      [Symbol.asyncDispose]: close,
    };
  });
});
